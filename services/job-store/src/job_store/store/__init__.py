"""The only room that knows SQL: one transaction for many messages, the law in the database as well."""
