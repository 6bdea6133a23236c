"""The counterpart of every statement: a module for each .sql file of the store, a function for each name in it."""
