import io
import unittest


class Check(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(1 + 1, 2)


result = unittest.main(exit=False, testRunner=unittest.TextTestRunner(io.StringIO())).result
print(result.testsRun, result.wasSuccessful())
