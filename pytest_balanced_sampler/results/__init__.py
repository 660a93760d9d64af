"""From JSON to rates, tables, Markdown, terminal and page. No pytest, no worker, no model."""
