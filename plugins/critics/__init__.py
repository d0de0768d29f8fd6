"""Critics that come along beside the core's: services, agents, reward models, records, votes."""
