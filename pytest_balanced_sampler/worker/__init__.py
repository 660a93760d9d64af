"""UNTRUSTED: what runs beside a candidate. Started with -m; no other folder imports it."""
