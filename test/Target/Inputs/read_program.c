/* Reads a program in place with nothing but the generated header, as firmware
   does, and prints parts of it in the words of takt-objdump:

     read_program sections|parameters|code PROGRAM.takt

   C99 and C++. Exits with 2 where the file is not as the header says. */
#include "takt_program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *file;
static uint64_t file_bytes;

static void require(int holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "%s\n", what);
  exit(2);
}

static void load(const char *path) {
  FILE *stream = fopen(path, "rb");
  uint8_t *bytes;
  require(stream != NULL, "no file");
  fseek(stream, 0, SEEK_END);
  file_bytes = (uint64_t)ftell(stream);
  rewind(stream);
  bytes = (uint8_t *)malloc(file_bytes);
  require(bytes && fread(bytes, 1, file_bytes, stream) == file_bytes, "short");
  fclose(stream);
  file = bytes;
}

static const struct takt_header *header(void) {
  const struct takt_header *it = (const struct takt_header *)file;
  require(file_bytes >= sizeof *it, "no header");
  require(memcmp(it->magic, takt_magic, sizeof takt_magic) == 0, "magic");
  require(it->major_version == TAKT_MAJOR_VERSION, "version");
  require(it->header_bytes == sizeof *it, "header bytes");
  require(it->total_bytes == file_bytes, "total bytes");
  require(it->sections <= TAKT_MAX_SECTIONS, "sections");
  return it;
}

static const struct takt_section *table(void) {
  return (const struct takt_section *)(file + header()->section_table);
}

/* The content of a section, and how many records of that size it has. */
static const void *section(enum takt_section_type type, uint64_t record_bytes,
                           uint64_t *records) {
  uint32_t i;
  for (i = 0; i < header()->sections; ++i) {
    const struct takt_section *it = &table()[i];
    if (it->type != (uint32_t)type)
      continue;
    require(it->bytes % record_bytes == 0, "record size");
    require(it->offset % TAKT_SECTION_ALIGNMENT == 0, "alignment");
    *records = it->bytes / record_bytes;
    return file + it->offset;
  }
  require(0, "no such section");
  return NULL;
}

#define SECTION(type, name, count)                                             \
  (const struct name *)section(type, sizeof(struct name), count)

static void print_string(struct takt_string text) {
  uint64_t bytes;
  const char *strings = (const char *)section(TAKT_SECTION_STRINGS, 1, &bytes);
  require(text.offset <= bytes && text.bytes <= bytes - text.offset, "string");
  printf("%.*s", (int)text.bytes, strings + text.offset);
}

static void print_sections(void) {
  uint32_t i;
  for (i = 0; i < header()->sections; ++i)
    printf("%-6u %-13llu %-13llu %08x%s\n", (unsigned)table()[i].type,
           (unsigned long long)table()[i].offset,
           (unsigned long long)table()[i].bytes, (unsigned)table()[i].crc32c,
           table()[i].required ? "" : "  optional");
}

static void print_tensor(uint32_t number) {
  static const char *const types[] = {"", "f32", "f64", "i32", "i64", "i1"};
  uint64_t descriptors;
  int i;
  const struct takt_tensor *it =
      SECTION(TAKT_SECTION_DESCRIPTORS, takt_tensor, &descriptors) + number;
  require(number < descriptors && it->type == TAKT_DESCRIPTOR_TENSOR, "tensor");
  require(it->element_type <= TAKT_ELEMENT_I1, "element type");
  for (i = 0; i < it->rank; ++i)
    printf("%ux", (unsigned)it->dims[i]);
  printf("%s r%u+%llu", types[it->element_type], (unsigned)it->region,
         (unsigned long long)it->offset);
  if (it->slots > 1)
    printf("[%ux%llu]", (unsigned)it->slots,
           (unsigned long long)it->slot_stride);
}

static void print_parameters(void) {
  uint64_t count, i;
  const struct takt_parameter *parameters =
      SECTION(TAKT_SECTION_PARAMETERS, takt_parameter, &count);
  for (i = 0; i < count; ++i) {
    printf("  ");
    print_string(parameters[i].name);
    printf("  ");
    print_tensor(parameters[i].home);
    printf("  delay %u", (unsigned)parameters[i].delay);
    if (parameters[i].kind == TAKT_PARAMETER_DERIVED) {
      require(parameters[i].base < count, "base");
      printf("  slice of ");
      print_string(parameters[parameters[i].base].name);
      printf(", axis %u from %llu", (unsigned)parameters[i].axis,
             (unsigned long long)parameters[i].begin);
    }
    printf("\n");
  }
}

static void print_code(void) {
  uint64_t processors, instructions, p, pc;
  const struct takt_processor *processor =
      SECTION(TAKT_SECTION_PROCESSORS, takt_processor, &processors);
  const struct takt_instruction *code =
      SECTION(TAKT_SECTION_CODE, takt_instruction, &instructions);
  require(processors == header()->processors, "processors");
  for (p = 0; p < processors; ++p) {
    printf("\nprocessor %u\n", (unsigned)p);
    require((uint64_t)processor[p].first_instruction +
                    processor[p].instructions <=
                instructions,
            "code");
    for (pc = 0; pc < processor[p].instructions; ++pc)
      printf("  %5u  s%-4u\n", (unsigned)pc,
             (unsigned)code[processor[p].first_instruction + pc].stage);
  }
}

/* Every other section holds whole records of its structure. */
static void check_sizes(void) {
  uint64_t count;
  (void)SECTION(TAKT_SECTION_INFO, takt_info, &count);
  require(count == 1, "info");
  (void)SECTION(TAKT_SECTION_REGIONS, takt_region, &count);
  (void)SECTION(TAKT_SECTION_BINDINGS, takt_binding, &count);
  (void)SECTION(TAKT_SECTION_SCALARS, takt_scalar, &count);
  (void)SECTION(TAKT_SECTION_SEMAPHORES, takt_semaphore, &count);
  (void)SECTION(TAKT_SECTION_VALUES, takt_value, &count);
  (void)SECTION(TAKT_SECTION_INITIALIZERS, takt_initializer, &count);
  (void)SECTION(TAKT_SECTION_DESCRIPTORS, takt_kernel, &count);
  (void)SECTION(TAKT_SECTION_TASKS, takt_task, &count);
  (void)SECTION(TAKT_SECTION_LAYERS, takt_layer, &count);
  (void)SECTION(TAKT_SECTION_TASK_MAP, takt_task_map_entry, &count);
}

int main(int argc, char **argv) {
  require(argc == 3, "usage: read_program sections|parameters|code FILE");
  load(argv[2]);
  check_sizes();
  if (strcmp(argv[1], "sections") == 0)
    print_sections();
  else if (strcmp(argv[1], "parameters") == 0)
    print_parameters();
  else
    print_code();
  return 0;
}
