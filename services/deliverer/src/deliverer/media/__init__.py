"""The only room that fetches results from where the provider keeps them."""
