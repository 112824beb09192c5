"""What is to be learned and how it is judged: the tasks, and what holds for every one of them."""
