import unittest


class Check(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(1 + 1, 3)


print("before")
unittest.main()
