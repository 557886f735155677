"""A week of orders as shops have them: most of one line, few products in most, some refunded before shipping."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from benchmarks.sample.buyers import Person, people
from benchmarks.sample.catalogue import Product

SATURDAY = date(2026, 2, 28)
FRIDAY = date(2026, 3, 6)
AS_OF = datetime(2026, 3, 6, 18, tzinfo=UTC)  # in winter, London's clock is UTC
ORDERS_A_DAY = (290, 320, 300, 280, 270, 250, 140)
FRIDAY_EXPORT = datetime(2026, 3, 6, 14, tzinfo=UTC)
LAST_SAME_DAY = time(14)
REFUNDED_BEFORE_SHIPPING = 0.07
ORDINARY = 540  # products of a higher rank are kept for what is planted
LEEDS_ONLY = range(500, 530)


@dataclass(frozen=True)
class Line:
    """What of a product was ordered; pence."""

    sku: str
    name: str
    quantity: int
    price: int
    discount: int = 0


@dataclass
class Order:
    """One order. `part` names it where it was planted; `spoil` says which cells of its last row are damaged."""

    buyer: Person
    created: datetime
    lines: list[Line]
    channel: str = "web"
    number: str = ""
    paid: datetime | None = None
    fulfilled: datetime | None = None
    cancelled: datetime | None = None
    refunded_at: datetime | None = None
    service: str = "Standard"
    part: str = ""
    spoil: dict[str, str] = field(default_factory=dict)
    served: bool = True  # planted orders: whether stock is promised to it

    @property
    def goods(self) -> int:
        """What the lines cost."""
        return sum(line.quantity * line.price - line.discount for line in self.lines)

    @property
    def shipping(self) -> int:
        """Postage."""
        return 795 if self.service == "Express" else 0 if self.goods >= 5_000 else 395

    @property
    def total(self) -> int:
        """What the order costs in all."""
        return self.goods + self.shipping

    @property
    def worked_on_friday(self) -> bool:
        """Whether it is picked and packed on Friday."""
        return self.served and not (self.fulfilled or self.cancelled or self.refunded_at) and self.paid is not None


def at(day: date, clock: str) -> datetime:
    """A moment on the shop's clock, such as 09:30."""
    hour, minute = clock.split(":")
    return datetime.combine(day, time(int(hour), int(minute)), UTC)


def line(product: Product, quantity: int = 1) -> Line:
    """An order line at today's price."""
    return Line(product.sku, product.name, quantity, product.unit_price)


@dataclass
class Market:
    """Draws orders."""

    random: np.random.Generator
    products: Sequence[Product]
    buyers: Sequence[Person]
    shares: np.ndarray

    def basket(self) -> list[Line]:
        """One order's lines: 79 in 100 have one, products by their demand."""
        if self.random.random() < 0.04:
            return [line(self.products[int(self.random.choice(LEEDS_ONLY))], 1)]
        count = int(self.random.choice((1, 2, 3, 4), p=(0.782, 0.14, 0.055, 0.023)))
        chosen = self.random.choice(ORDINARY, count, replace=False, p=self.shares)
        return [line(self.products[int(one)], self._units()) for one in chosen]

    def _units(self) -> int:
        return int(self.random.choice((1, 2, 3, 4), p=(0.84, 0.11, 0.03, 0.02)))

    def buyer(self) -> Person:
        """Someone who buys, perhaps again."""
        return self.buyers[int(self.random.integers(len(self.buyers)))]

    def order(self, created: datetime, **overrides: object) -> Order:
        """An ordinary order, paid within minutes."""
        paid = created + timedelta(seconds=int(self.random.integers(20, 400)))
        service = "Express" if self.random.random() < 0.12 else "Standard"
        facts = {"paid": paid, "service": service, "lines": self.basket()} | overrides
        return Order(self.buyer(), created, **facts)  # type: ignore[arg-type]


def market(random: np.random.Generator, products: Sequence[Product]) -> Market:
    """A market in which a product's demand falls with its rank (Pareto)."""
    weight = 1.0 / (np.arange(ORDINARY) + 3.0) ** 0.95
    weight[LEEDS_ONLY.start : LEEDS_ONLY.stop] = 0
    return Market(random, products, people(random, 1_600), weight / weight.sum())


def week(market: Market) -> list[Order]:
    """The web shop's ordinary orders from Saturday to Friday at two."""
    orders = []
    for number, count in enumerate(ORDERS_A_DAY):
        day = SATURDAY + timedelta(days=number)
        first, last = (0, 14) if day == FRIDAY else (0, 24)
        moments = _moments(market.random, day, count, first, last)
        orders += [_with_its_fate(market.random, market.order(created)) for created in moments]
    return orders


def _moments(random: np.random.Generator, day: date, count: int, first: int, last: int) -> list[datetime]:
    """More in the evening than at night."""
    hours = np.arange(first, last)
    busy = np.where(hours < 7, 0.3, np.where(hours >= 18, 1.8, 1.0))
    drawn = random.choice(hours, count, p=busy / busy.sum())
    seconds = np.minimum(drawn * 3600 + random.integers(0, 3600, count), last * 3600 - 900)
    return [datetime.combine(day, time(), UTC) + timedelta(seconds=int(each)) for each in np.sort(seconds)]


def _with_its_fate(random: np.random.Generator, order: Order) -> Order:
    if random.random() < REFUNDED_BEFORE_SHIPPING:
        order.refunded_at = order.created + timedelta(minutes=int(random.integers(8, 90)))
        order.cancelled = order.refunded_at if random.random() < 0.5 else None
        if order.refunded_at > FRIDAY_EXPORT:  # too late for the last export: never happened
            order.refunded_at = order.cancelled = None
    else:
        order.fulfilled = shipped_by(order.created, int(random.integers(0, 50)))
    return order


def shipped_by(created: datetime, minutes: int) -> datetime | None:
    """When the shop ships: at half past four of the first working day whose two o'clock is still to come."""
    day = created.date() + timedelta(days=created.time() >= LAST_SAME_DAY)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return None if day >= FRIDAY else at(day, "16:30") + timedelta(minutes=minutes)


def number_orders(orders: Sequence[Order], first: int = 20_101) -> list[Order]:
    """Number the web shop's orders as they came."""
    ordered = sorted(orders, key=lambda one: one.created)
    for number, order in enumerate(ordered, start=first):
        order.number = f"#{number}"
    return ordered
