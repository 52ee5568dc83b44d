"""What is said: one folder a recipe, data only. `glotmill.recipes` reads and checks them."""
