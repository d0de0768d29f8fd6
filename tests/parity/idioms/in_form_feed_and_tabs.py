print(input().split())
