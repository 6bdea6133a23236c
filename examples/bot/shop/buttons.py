"""The buttons under the shop's messages."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from shop.catalogue import CATALOGUE, money

BALANCE, TOPUP = "balance", "topup"


class Buy(CallbackData, prefix="buy"):
    """The button of one product."""

    product: str


def wallet() -> InlineKeyboardMarkup:
    """What a user can do about their money."""
    return _keyboard({"Balance": BALANCE, "Top up": TOPUP})


def offers() -> InlineKeyboardMarkup:
    """Every product with its price."""
    return _keyboard(
        {
            f"{product.title} · {money(product.price)}": Buy(product=product.slug).pack()
            for product in CATALOGUE.values()
        }
    )


def _keyboard(buttons: dict[str, str]) -> InlineKeyboardMarkup:
    rows = [[InlineKeyboardButton(text=text, callback_data=told)] for text, told in buttons.items()]
    return InlineKeyboardMarkup(inline_keyboard=rows)
