"""Do something with what is seen: gestures and heads to keys, pointer and messages. No Qt."""
