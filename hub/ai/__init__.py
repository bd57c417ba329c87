"""Language models as drafters of answers: the providers' wires, and the one client that speaks them."""
