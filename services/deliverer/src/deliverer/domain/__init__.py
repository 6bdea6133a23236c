"""What Telegram's answers mean and what follows from them. Pure: no I/O, no clock, no aiogram."""
