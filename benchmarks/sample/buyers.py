"""People who do not exist: invented names and streets, addresses of .example domains, telephone numbers of dramas.

Ofcom keeps 07700 900000 to 900999, 020 7946 0000 to 0999 and 0113 496 0000 to 0999 for films and books. A postcode
ends here on a letter that no real one has there.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.sample.export_headers import words

FIRST = words(
    "Ada Bram Cleo Dara Edith Fenn Greta Hollis Imani Jonas Kezia Linden Mabel Nico Orla Piers Quill Rosa Silas Tamsin "
    "Umar Verity Wilf Xenia Yusuf Zora Anwen Bodhi Carys Dilys Elowen Farah Gethin Hester Idris Jago Keira Lowri"
)
LAST = words(
    "Ashgrove Brindlewood Carrowmoss Dunfallow Elmsworthy Fernhithe Glasswater Harrowden Inglebright Juniperley "
    "Kettlewick Larkmarsh Mossbury Netherfold Oakenshade Pennywell Quarrington Rushmead Saltersby Thistleby "
    "Underhollow Venncross Wickerham Yarrowdale Amberhay Birchholt Cobblestow Drakenford Evershade Foxlease"
)
STREETS = words(
    "Larkspur Row|Tinker's Yard|Old Kiln Lane|Saffron Hill Close|Weaver's Rise|Bramble End|Hook Street|Lantern Mews|"
    "Copperpot Road|Marigold Terrace|Thimble Walk|Pestle Gardens|Cinder Path|Ropewalk Crescent|Hearthstone Avenue",
    "|",
)
TOWNS = (
    ("London", "N{} ", "020 7946 0{:03}"), ("London", "SE{} ", "020 7946 0{:03}"),
    ("Leeds", "LS{} ", "0113 496 0{:03}"), ("Bristol", "BS{} ", "07700 900{:03}"),
    ("York", "YO{} ", "07700 900{:03}"), ("Cardiff", "CF{} ", "07700 900{:03}"),
    ("Glasgow", "G{} ", "07700 900{:03}"), ("Exeter", "EX{} ", "07700 900{:03}"),
    ("Norwich", "NR{} ", "07700 900{:03}"), ("Belfast", "BT{} ", "07700 900{:03}"),
)  # fmt: skip
MAIL = ("post.example", "letterbox.example", "mail.example")
INWARD = "CIKMOV"  # letters no real postcode has in its last two places


@dataclass(frozen=True)
class Person:
    """A buyer."""

    name: str
    email: str
    address1: str
    city: str
    postal_code: str
    phone: str


def people(random: np.random.Generator, count: int) -> list[Person]:
    """`count` buyers, each with an e-mail address of their own."""
    return [_person(random, number) for number in range(count)]


def _person(random: np.random.Generator, number: int) -> Person:
    first, last = FIRST[random.integers(len(FIRST))], LAST[random.integers(len(LAST))]
    town, outward, phone = TOWNS[random.integers(len(TOWNS))]
    ending = INWARD[random.integers(6)] + INWARD[random.integers(6)]
    return Person(
        name=f"{first} {last}",
        email=f"{first}.{last}{number}@{MAIL[random.integers(len(MAIL))]}".lower(),
        address1=f"{random.integers(1, 180)} {STREETS[random.integers(len(STREETS))]}",
        city=town,
        postal_code=outward.format(random.integers(1, 20)) + f"{random.integers(1, 10)}{ending}",
        phone=phone.format(random.integers(1000)),
    )
