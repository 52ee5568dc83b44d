"""Transforms: one per file, a function of the file's name.

A transform takes the table of a shard, and its options as keyword arguments. It returns a table, perhaps with
another number of rows, each with its own `id`. It does what neither a template nor a filter can do:
pair rows, split them, mask texts. Where a column `reason` of the result is a text, the row is dropped, as by
a filter.

    mask_pii.py   replaces personal data
    pair.py       gives each row the value of another row
    sides.py      turns a conversation of two into chats, once with either speaker as the assistant
    views.py      turns a solved problem into two rows, asked in either language

Recipes name a transform as they name any plugin: `transform: pair`, or `transform: my_module:function`.
"""
