"""Real servers, real workers and waiting on conditions, for every folder of tests."""
