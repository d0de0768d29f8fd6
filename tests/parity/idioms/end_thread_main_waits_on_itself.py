import threading

print(threading.current_thread().name, threading.main_thread().is_alive())
print(threading.active_count(), threading.current_thread() is threading.main_thread())
