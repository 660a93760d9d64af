from itertools import accumulate


def names_above(account):
    return accumulate(account.split(":"), lambda above, name: f"{above}:{name}")
