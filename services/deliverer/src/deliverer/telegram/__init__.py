"""The only room that knows Telegram's Bot API; import `aiogram_import` before any other module."""
