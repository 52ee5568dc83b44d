"""What the engine `openai` is made of: addresses, bodies of requests, answers and refusals.

Read client.py first (one request, from the queue to its reply), then address.py (one server), bodies.py
and answers.py (the wire forms), streams.py (replies in pieces), refusals.py (what an error means) and
adjustments.py (what a server does not take).
"""
