"""Everything before a purchase: the greeting, the menu, the balance, the money that comes in."""

from aiogram import F, Router
from aiogram.filters import JOIN_TRANSITION, ChatMemberUpdatedFilter, CommandStart
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message
from sendonce import SendOnce

from shop import buttons
from shop.catalogue import CATALOGUE, CURRENCY, money

GIFT = 500_00  # kopecks


def router() -> Router:
    """The handlers of this page."""
    made = Router(name="talk")
    made.message.register(on_start, CommandStart())
    made.message.register(on_wish, F.text)
    made.callback_query.register(on_balance, F.data == buttons.BALANCE)
    made.callback_query.register(on_topup, F.data == buttons.TOPUP)
    made.my_chat_member.register(on_return, ChatMemberUpdatedFilter(JOIN_TRANSITION))
    return made


async def on_start(message: Message) -> None:
    """Say what there is to buy."""
    prices = "\n".join(f"{one.title}: {money(one.price)}" for one in CATALOGUE.values())
    await message.answer(
        f"Tell me what you would like to see or hear.\n\n{prices}", reply_markup=buttons.wallet()
    )


async def on_wish(message: Message) -> None:
    """Offer every product; the wish is kept by being replied to."""
    await message.reply("What shall I make of it?", reply_markup=buttons.offers())


async def on_balance(query: CallbackQuery, sendonce: SendOnce) -> None:
    """Tell what the user has."""
    wallet = await sendonce.wallet(query.from_user.id, CURRENCY)
    held = f", {money(wallet.held)} set aside" if wallet.held else ""
    await query.answer(f"Your balance is {money(wallet.balance)}{held}.", show_alert=True)


async def on_topup(query: CallbackQuery, sendonce: SendOnce) -> None:
    """Give money away, once for each menu.

    In a real shop this is the handler of `F.successful_payment`, and the reference is
    `message.successful_payment.telegram_payment_charge_id`.
    """
    menu = query.message.message_id if query.message else query.inline_message_id
    wallet = await sendonce.topup(
        query.from_user.id,
        currency=CURRENCY,
        amount=GIFT,
        reference=f"gift:{query.from_user.id}:{menu}",
    )
    await query.answer(f"Your balance is {money(wallet.balance)}.", show_alert=True)


async def on_return(update: ChatMemberUpdated, sendonce: SendOnce) -> None:
    """A user who had blocked the bot is back: what they paid for meanwhile is shown now."""
    await sendonce.returned(update.chat.id)
