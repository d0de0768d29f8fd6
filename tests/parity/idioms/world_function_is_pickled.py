import pickle


def double(n):
    return 2 * n


print(pickle.loads(pickle.dumps(double))(4), double.__name__)
