import bisect
import heapq

heap = [5, 1, 4]
heapq.heapify(heap)
print(heapq.heappushpop(heap, 3), heap, heapq.nlargest(2, heap), bisect.bisect([1, 2, 2, 3], 2))
