"""What a BSON value is: its order, its bytes, its paths and its arithmetic. Pure; imports nothing but `errors`."""
