import abc, array, bisect, calendar, cmath, collections, copy, dataclasses, datetime  # noqa
import decimal, enum, fractions, functools, hashlib, heapq, itertools, json, math  # noqa
import operator, os, pprint, queue, random, re, statistics, string, struct, sys, textwrap  # noqa
import time, typing, unicodedata, uuid, zlib, contextlib, difflib, graphlib, secrets  # noqa

print("all imported")
