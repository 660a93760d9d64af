def balances(lines):
    return {}
