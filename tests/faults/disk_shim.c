/* A disk that forgets what was not synced, and one that fails to sync: loaded with LD_PRELOAD.
 *
 * DISK_FILES    prefix of the paths watched (a database and its companions).
 *
 * Forgetting: every watched file F has a twin F.synced, which holds what a power cut would leave:
 * writes wait in memory and reach the twin only inside a successful fsync or fdatasync of F.
 *
 * Failing: while the file $DISK_FAILS exists, every fsync and fdatasync of a watched file fails with
 * EIO and adds a line to $DISK_FAILS.log; so a second attempt shows.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct change { /* data is NULL for a truncation to `at` */
  off_t at;
  size_t size;
  char *data;
  struct change *next;
};

struct file {
  dev_t device;
  ino_t inode;
  char twin[PATH_MAX];
  struct change *first, **end;
  struct file *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
typedef ssize_t (*pwrite_t)(int, const void *, size_t, off_t);
typedef int (*sync_t)(int);
typedef int (*truncate_t)(int, off_t);

static void forget_changes(struct file *file) {
  while (file->first) {
    struct change *change = file->first;
    file->first = change->next;
    free(change->data);
    free(change);
  }
  file->end = &file->first;
}

/* Return what is known of a watched file, or NULL for any other. */
static struct file *watched(int fd) {
  const char *prefix = getenv("DISK_FILES");
  struct stat status;
  if (!prefix || fstat(fd, &status) || !S_ISREG(status.st_mode)) return NULL;
  char link[64], path[PATH_MAX - 16], twin[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  /* The index of the log is shared memory: it is rebuilt, never relied on. */
  if (strncmp(path, prefix, strlen(prefix)) || strstr(path, "-shm")) return NULL;
  snprintf(twin, sizeof twin, "%s.synced", path);
  struct file *file = files;
  while (file && strcmp(file->twin, twin)) file = file->next;
  if (!file) {
    file = calloc(1, sizeof *file);
    strcpy(file->twin, twin);
    file->end = &file->first;
    file->next = files;
    files = file;
  }
  if (file->inode != status.st_ino || file->device != status.st_dev) { /* made anew */
    file->device = status.st_dev;
    file->inode = status.st_ino;
    forget_changes(file);
    close(open(twin, O_CREAT | O_TRUNC | O_WRONLY, 0600));
  }
  return file;
}

static void note(int fd, const void *data, size_t size, off_t at) {
  int kept = errno;
  pthread_mutex_lock(&lock);
  struct file *file = watched(fd);
  if (file) {
    struct change *change = calloc(1, sizeof *change);
    change->at = at;
    change->size = size;
    if (data) change->data = memcpy(malloc(size), data, size);
    *file->end = change;
    file->end = &change->next;
  }
  pthread_mutex_unlock(&lock);
  errno = kept;
}

static void bring_to_disk(struct file *file) {
  int twin = open(file->twin, O_CREAT | O_WRONLY, 0600);
  for (struct change *change = file->first; change; change = change->next) {
    if (!change->data) {
      if (REAL("ftruncate64", truncate_t)(twin, change->at)) abort();
    } else if (REAL("pwrite64", pwrite_t)(twin, change->data, change->size, change->at) < 0) {
      abort();
    }
  }
  forget_changes(file);
  close(twin);
}

static int synced(int fd, const char *name) {
  const char *fails = getenv("DISK_FAILS");
  pthread_mutex_lock(&lock);
  struct file *file = watched(fd);
  int result;
  if (file && fails && !access(fails, F_OK)) {
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s.log", fails);
    int out = open(log, O_CREAT | O_APPEND | O_WRONLY, 0600);
    if (write(out, "EIO\n", 4) < 0) abort();
    close(out);
    errno = EIO;
    result = -1;
  } else {
    result = REAL(name, sync_t)(fd);
    if (file && !result) bring_to_disk(file);
  }
  int kept = errno;
  pthread_mutex_unlock(&lock);
  errno = kept;
  return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
  ssize_t written = REAL("pwrite64", pwrite_t)(fd, data, size, at);
  if (written > 0) note(fd, data, written, at);
  return written;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  return pwrite64(fd, data, size, at);
}

int ftruncate64(int fd, off_t size) {
  int result = REAL("ftruncate64", truncate_t)(fd, size);
  if (!result) note(fd, NULL, 0, size);
  return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* SQLite syncs the directory after it deleted a file, so the deletion is taken as kept. */
int unlink(const char *path) {
  typedef int (*unlink_t)(const char *);
  const char *prefix = getenv("DISK_FILES");
  char twin[PATH_MAX];
  int result = REAL("unlink", unlink_t)(path);
  if (!result && prefix && !strncmp(path, prefix, strlen(prefix))) {
    snprintf(twin, sizeof twin, "%s.synced", path);
    REAL("unlink", unlink_t)(twin);
  }
  return result;
}
