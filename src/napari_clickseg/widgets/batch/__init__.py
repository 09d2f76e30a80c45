"""The dock that refines existing masks, of a layer or of a folder."""
