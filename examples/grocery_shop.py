"""A grocery shop's exports, made up: ``python examples/grocery_shop.py shop``.

Writes three CSV files as a till's software would, with semicolons between the fields and commas in the numbers:

- ``purchases.csv``: customer, article, time, quantity, price. Most of what a customer buys they have bought before.
  Some lines are returns with a quantity below zero, some have no customer, some ids have white space around them.
- ``products.csv``: article, name, department, price, on sale since, in stock, discontinued.
- ``customers.csv``: customer, postcode, newsletter, joined.

Ids have leading zeros. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

DEPARTMENTS = {
    "bakery": ("rye bread", "rolls", "baguette", "toast", "croissants", "bagels", "crispbread", "apple pie"),
    "dairy": ("whole milk", "oat drink", "butter", "yoghurt", "quark", "cream", "gouda", "feta"),
    "fruit": ("apples", "bananas", "oranges", "pears", "grapes", "lemons", "kiwis", "berries"),
    "vegetables": ("tomatoes", "carrots", "onions", "potatoes", "peppers", "spinach", "cucumber", "leek"),
    "pantry": ("spaghetti", "rice", "flour", "sugar", "lentils", "olive oil", "oats", "tomato puree"),
    "drinks": ("water", "apple juice", "cola", "lemonade", "beer", "red wine", "white wine", "iced tea"),
    "hot drinks": ("coffee beans", "ground coffee", "black tea", "green tea", "cocoa", "herbal tea", "mate", "chai"),
    "sweets": (
        "dark chocolate",
        "milk chocolate",
        "biscuits",
        "gummy bears",
        "liquorice",
        "nougat",
        "mints",
        "waffles",
    ),
    "snacks": ("crisps", "salted nuts", "crackers", "popcorn", "pretzels", "olives", "trail mix", "rice cakes"),
    "frozen": ("pizza", "peas", "ice cream", "fish fingers", "chips", "spinach cubes", "dumplings", "sorbet"),
    "meat": ("minced beef", "chicken breast", "salami", "ham", "sausages", "bacon", "turkey", "meatballs"),
    "fish": ("salmon", "herring", "tuna", "prawns", "cod", "mackerel", "sardines", "trout"),
    "plant based": ("tofu", "tempeh", "seitan", "falafel", "hummus", "vegan burger", "soy yoghurt", "oat cream"),
    "household": ("washing powder", "dish soap", "sponges", "bin bags", "foil", "candles", "batteries", "kitchen roll"),
    "care": ("soap", "shampoo", "toothpaste", "cotton pads", "sun cream", "deodorant", "tissues", "razors"),
    "pets": ("cat food", "dog food", "cat litter", "bird seed", "chew bones", "hay", "fish flakes", "cat treats"),
}
BRANDS = ("Plain", "Field & Farm", "Grandma's", "Green Leaf", "Royal", "Kiosk")
#: Departments whose goods are weighed at the till.
WEIGHED = ("fruit", "vegetables", "meat", "fish")
START = datetime(2025, 1, 2, 8)
DAYS = 540
#: Of lines: returned later, without a customer, with white space around an id.
RETURNED, CASH, SPACED = 0.015, 0.03, 0.01

Floats = npt.NDArray[np.float64]
Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Products:
    """What the shop sells, or has sold."""

    ids: list[str]
    names: list[str]
    departments: list[str]
    brands: npt.NDArray[np.int64]
    prices: Floats
    popularity: Floats
    first_day: npt.NDArray[np.int64]
    last_day: npt.NDArray[np.int64]
    in_stock: npt.NDArray[np.bool_]


def main() -> None:
    """Write the files, and say what is in them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--purchases", type=int, default=60_000, help="lines of purchases, about")
    parser.add_argument("--products", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rows = write_shop(arguments.directory, arguments.customers, arguments.purchases, arguments.products, arguments.seed)
    for name, number in rows.items():
        print(f"{arguments.directory / name}: {number:,} rows")


def write_shop(
    directory: Path, num_customers: int = 2000, num_purchases: int = 60_000, num_products: int = 400, seed: int = 1
) -> dict[str, int]:
    """Write the three files; the number of rows of each.

    Args:
        directory: made where it is missing.
        num_customers: with a card; some buy nothing.
        num_purchases: lines of purchases, about; returns come on top.
        num_products: at most 768, of which a tenth is new and a twentieth discontinued.
        seed: of all that is random.
    """
    random = np.random.default_rng(seed)
    products = _products(random, num_products)
    customers = [f"{number:06d}" for number in random.permutation(np.arange(100, 100 + num_customers))]
    directory.mkdir(parents=True, exist_ok=True)
    tables = {
        "purchases.csv": _purchases(random, products, customers, num_purchases),
        "products.csv": _product_rows(products),
        "customers.csv": _customer_rows(random, customers),
    }
    for name, table in tables.items():
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";", lineterminator="\n").writerows(table)
    return {name: len(table) - 1 for name, table in tables.items()}


def _products(random: np.random.Generator, number: int) -> Products:
    kinds = [(department, kind) for department, names in DEPARTMENTS.items() for kind in names]
    chosen = random.permutation(len(kinds) * len(BRANDS))[:number]
    of_kind, brands = chosen // len(BRANDS), chosen % len(BRANDS)
    is_new = random.random(number) < 0.1
    is_gone = ~is_new & (random.random(number) < 0.05)
    return Products(
        ids=[f"{code:05d}" for code in random.permutation(np.arange(17, 17 + 13 * number, 13))],
        names=[f"{BRANDS[brand]} {kinds[kind][1]}" for kind, brand in zip(of_kind, brands, strict=True)],
        departments=[kinds[kind][0] for kind in of_kind],
        brands=brands,
        prices=np.round(random.lognormal(1.0, 0.5, number), 2),
        popularity=random.lognormal(0.0, 1.0, number),
        first_day=np.where(is_new, random.integers(DAYS - 90, DAYS - 10, number), 0),
        last_day=np.where(is_gone, random.integers(DAYS // 2, DAYS - 60, number), DAYS),
        in_stock=~is_gone & (random.random(number) > 0.04),
    )


def _purchases(random: np.random.Generator, products: Products, customers: list[str], number: int) -> list[Row]:
    """The till's lines in the order of time, returns among them."""
    lines: list[tuple[datetime, int, int, float]] = []
    activity = random.lognormal(0.0, 0.9, len(customers))
    sizes = random.multinomial(number, activity / activity.sum())
    departments = sorted(DEPARTMENTS)
    of_department = np.array([departments.index(name) for name in products.departments])
    for customer, size in enumerate(sizes):
        # A taste for few departments and few brands, and favourites that are bought again and again.
        likes = random.dirichlet(np.full(len(departments), 0.25))[of_department]
        taste = products.popularity * (likes + 0.002) * random.dirichlet(np.full(len(BRANDS), 0.7))[products.brands]
        lines += _of_customer(random, products, customer, int(size), taste / taste.sum())
    lines.sort(key=lambda line: line[:3])
    rows: list[Row] = [("customer_no", "article_no", "bought_at", "quantity", "price")]
    for when, customer, product, quantity in lines:
        own, article = customers[customer], products.ids[product]
        chance = random.random()
        if chance < CASH:
            own = ""
        elif chance < CASH + SPACED:
            own, article = f" {own}", f"{article} "
        rows.append(
            (own, article, f"{when:%Y-%m-%d %H:%M:%S}", _comma(quantity, 3), _comma(products.prices[product], 2))
        )
    return rows


def _of_customer(
    random: np.random.Generator, products: Products, customer: int, size: int, taste: Floats
) -> Iterable[tuple[datetime, int, int, float]]:
    """The lines of one customer: trips to the shop, each with some favourites and something else."""
    joined = int(random.integers(0, DAYS - 60)) if random.random() < 0.4 else 0
    favourites = random.choice(len(taste), size=min(len(taste), 12), replace=False, p=taste)
    while size > 0:
        day = int(random.integers(joined, DAYS))
        when = START + timedelta(days=day, seconds=int(random.integers(0, 12 * 3600)))
        on_sale = (products.first_day <= day) & (day < products.last_day)
        basket = min(size, 1 + int(random.poisson(4)))
        usual = favourites[random.random(len(favourites)) < 0.3][:basket]
        weights = taste * on_sale * (1 + 2 * (products.first_day > 0))  # what is new is on display
        others = random.choice(len(taste), size=basket, replace=False, p=weights / weights.sum())
        for product in dict.fromkeys([*usual.tolist(), *others.tolist()][:basket]):
            if not on_sale[product]:
                continue
            size -= 1
            is_weighed = products.departments[product] in WEIGHED
            quantity = round(float(random.uniform(0.1, 2.0)), 3) if is_weighed else float(random.geometric(0.7))
            yield when, customer, product, quantity
            if random.random() < RETURNED:
                back = when + timedelta(days=int(random.integers(1, 10)))
                yield back, customer, product, -quantity


def _product_rows(products: Products) -> list[Row]:
    rows: list[Row] = [
        ("article_no", "name", "department", "price", "on_sale_since", "in_stock", "discontinued"),
    ]
    for place, article in enumerate(products.ids):
        since = START + timedelta(days=int(products.first_day[place]) or -400)
        rows.append(
            (
                article,
                products.names[place],
                products.departments[place],
                _comma(products.prices[place], 2),
                f"{since:%Y-%m-%d}",
                str(bool(products.in_stock[place])).lower(),
                str(bool(products.last_day[place] < DAYS)).lower(),
            )
        )
    return rows


def _customer_rows(random: np.random.Generator, customers: list[str]) -> list[Row]:
    rows: list[Row] = [("customer_no", "postcode", "newsletter", "joined")]
    for own in sorted(customers):
        joined = START - timedelta(days=int(random.integers(0, 900)))
        is_told = str(bool(random.random() < 0.3)).lower()
        rows.append((own, f"{int(random.integers(100, 99_999)):05d}", is_told, f"{joined:%Y-%m-%d}"))
    return rows


def _comma(number: float, digits: int) -> str:
    """With a decimal comma; whole numbers without one."""
    text = f"{number:.{digits}f}".rstrip("0").rstrip(".") if digits == 3 else f"{number:.{digits}f}"
    return text.replace(".", ",")


if __name__ == "__main__":
    main()
