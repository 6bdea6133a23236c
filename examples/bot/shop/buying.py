"""A purchase: one tap, one job, however often the tap arrives."""

from aiogram import Router
from aiogram.types import CallbackQuery, Message
from sendonce import InsufficientFunds, Paused, SendOnce, TooManyJobs, Unavailable

from shop.buttons import Buy
from shop.catalogue import CATALOGUE, Product, money


def router() -> Router:
    """The handlers of this page."""
    made = Router(name="buying")
    made.callback_query.register(on_buy, Buy.filter())
    return made


async def on_buy(query: CallbackQuery, callback_data: Buy, sendonce: SendOnce) -> None:
    """Buy what was tapped; the rest is sendonce's: the status line, the result, the money."""
    product, wish = CATALOGUE.get(callback_data.product), _wish(query)
    if product is None or wish is None:
        await query.answer("This menu is out of date. Tell me your wish again.", show_alert=True)
        return
    await query.answer(await _bought(query, product, wish, sendonce), show_alert=True)


async def _bought(query: CallbackQuery, product: Product, wish: str, sendonce: SendOnce) -> str:
    """Make the job; return what to tell the user."""
    try:
        job = await sendonce.create(
            query,
            family=product.family,
            model=product.model,
            input=product.input(wish),
            price=product.price,
        )
    except InsufficientFunds:
        return f"This costs {money(product.price)}, and your balance is lower. /start to top up."
    except TooManyJobs as busy:
        return f"One picture after the other, please. Try again in {busy.retry_after:.0f} seconds."
    except Paused:
        return "The studio is closed right now. Nothing was charged."
    except Unavailable:
        return "Please tap again in a minute. You will not be charged twice."
    if not job.created:
        return f"That is your job {job.label}, it is under way already."
    return f"Job {job.label}: {money(product.price)} set aside."


def _wish(query: CallbackQuery) -> str | None:
    """The words the menu replied to: kept by Telegram, so a restart of the bot forgets nothing."""
    menu = query.message
    if not isinstance(menu, Message) or menu.reply_to_message is None:
        return None
    return menu.reply_to_message.text
