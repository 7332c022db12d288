"""What carries a run: the contract, and the runner that lives in this process."""
