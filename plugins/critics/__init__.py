"""Critics beside the model and the tests: services, agents, reward models, stored decisions."""
