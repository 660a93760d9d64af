import os
import threading
import time


def late():
    threading.main_thread().join()
    time.sleep(0.1)
    os.write(1, b"ann 3.50\nbob 0.25\n")


threading.Thread(target=late, daemon=True).start()
