"""Whether a solution of the SBPO 2025 challenge keeps its rules: slow, plain, and apart from what found it."""

from collections import Counter


def check(instance: str, solution: str) -> list[str]:
    """Every rule of the challenge that `solution` (the text of its file) breaks for `instance` (of its), in words."""
    head, *lines = instance.strip().splitlines()
    orders, _, aisles = map(int, head.split())
    demands, stocks = ([_quantities(line) for line in part] for part in (lines[:orders], lines[orders:][:aisles]))
    least, most = map(int, lines[orders + aisles].split())
    chosen, visited = _parts([int(word) for word in solution.split()])
    problems = [*_misnumbered("order", chosen, orders), *_misnumbered("aisle", visited, aisles)]
    if problems:
        return problems
    demanded, stocked = _total(demands, chosen), _total(stocks, visited)
    units = demanded.total()
    problems = [] if least <= units <= most else [f"{units} units, {least} to {most} are allowed"]
    problems += [] if visited else ["no aisle is visited"]
    return problems + [
        f"item {item}: {quantity} asked, {stocked[item]} held"
        for item, quantity in demanded.items()
        if quantity > stocked[item]
    ]


def density(instance: str, solution: str) -> float:
    """Units per visited aisle."""
    chosen, visited = _parts([int(word) for word in solution.split()])
    lines = instance.strip().splitlines()[1:]
    return sum(_quantities(lines[order]).total() for order in chosen) / len(visited)


def _quantities(line: str) -> Counter[int]:
    numbers = [int(word) for word in line.split()][1:]
    quantities: Counter[int] = Counter()
    for item, quantity in zip(numbers[::2], numbers[1::2], strict=True):
        quantities[item] += quantity
    return quantities


def _parts(numbers: list[int]) -> tuple[list[int], list[int]]:
    orders = numbers[0]
    rest = numbers[orders + 1 :]
    if len(rest) != rest[0] + 1:
        raise ValueError(f"solution: {rest[0]} aisles are announced, {len(rest) - 1} follow")
    return numbers[1 : orders + 1], rest[1:]


def _misnumbered(what: str, chosen: list[int], there: int) -> list[str]:
    problems = [f"{what} {number} does not exist" for number in chosen if not 0 <= number < there]
    return problems + [f"{what} {number} twice" for number, times in Counter(chosen).items() if times > 1]


def _total(quantities: list[Counter[int]], chosen: list[int]) -> Counter[int]:
    total: Counter[int] = Counter()
    for number in chosen:
        total.update(quantities[number])
    return total
