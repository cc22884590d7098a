/* Unpacking a foreign ModelProto. protobuf-c recurses as deep as the bytes say and allocates a whole struct
 * for two bytes of empty message; so the nesting is checked first, without recursion, and memory is drawn
 * from a budget. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/nn/fail.h"
#include "common/nn/onnx/reader.h"
#include "common/nn/room.h"

#define DEPTH_MAX 24

struct frame {
    const uint8_t *at, *end;
    const ProtobufCMessageDescriptor *message;
};

/* The bytes of one varint; 0 where it is broken. */
static size_t read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    uint64_t result = 0;
    for (size_t i = 0; i < 10 && at + i < end; i++) {
        result |= (uint64_t)(at[i] & 0x7f) << (7 * i);
        if (at[i] & 0x80) continue;
        *value = result;
        return i + 1;
    }
    return 0;
}

/* Step over one field. `inside` gets the message that it holds, if it is one. */
static bool step(struct frame *frame, struct frame *inside) {
    uint64_t key, length = 0;
    size_t n = read_varint(frame->at, frame->end, &key);
    if (!n) return false;
    frame->at += n;
    switch (key & 7) {
    case 0:
        n = read_varint(frame->at, frame->end, &length);
        if (!n) return false;
        length = n;
        break;
    case 1:
        length = 8;
        break;
    case 5:
        length = 4;
        break;
    case 2:
        n = read_varint(frame->at, frame->end, &length);
        if (!n) return false;
        frame->at += n;
        break;
    default:
        return false;
    }
    if (length > (size_t)(frame->end - frame->at)) return false;
    inside->message = NULL;
    if ((key & 7) == 2 && key >> 3 <= UINT32_MAX) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(frame->message, (unsigned)(key >> 3));
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
            *inside = (struct frame){frame->at, frame->at + length, field->descriptor};
    }
    frame->at += length;
    return true;
}

/* 0, LINNET_E_PARSE or LINNET_E_LIMIT: nested deeper than any real model. */
static int check_nesting(const uint8_t *data, size_t size) {
    struct frame stack[DEPTH_MAX] = {{data, data + size, &onnx__model_proto__descriptor}};
    int depth = 0;
    while (depth >= 0) {
        if (stack[depth].at == stack[depth].end) {
            depth--;
            continue;
        }
        struct frame inside;
        if (!step(&stack[depth], &inside)) return LINNET_E_PARSE;
        if (!inside.message) continue;
        if (depth + 1 == DEPTH_MAX) return LINNET_E_LIMIT;
        stack[++depth] = inside;
    }
    return 0;
}

#define MAPPED_STEP ((size_t)8 << 20)

struct budget {
    size_t left;
    bool exceeded;
    void *mapped; /* the file's bytes, or NULL where they are not mapped */
    size_t size, since;
};

/* What has been copied is not read again: the file's pages go now and then, or a network would be in memory
 * twice while it is read. */
static void drop_pages(struct budget *budget, size_t size) {
    budget->since += size;
    if (!budget->mapped || budget->since < MAPPED_STEP) return;
    budget->since = 0;
    (void)madvise(budget->mapped, budget->size, MADV_DONTNEED);
}

static void *budget_alloc(void *data, size_t size) {
    struct budget *budget = data;
    if (size > budget->left) {
        budget->exceeded = true;
        return NULL;
    }
    budget->left -= size;
    drop_pages(budget, size);
    return size < LINNET_NN_HUGE / 2 ? malloc(size) : linnet_nn_room(size);
}

static void budget_free(void *data, void *pointer) {
    (void)data;
    free(pointer);
}

int linnet_onnx_unpack(const void *data, size_t size, bool mapped, Onnx__ModelProto **out,
                       struct linnet_error *err) {
    int rc = size ? check_nesting(data, size) : LINNET_E_PARSE;
    if (rc == LINNET_E_LIMIT)
        return linnet_nn_fail(err, rc, "the ONNX file nests deeper than %d levels", DEPTH_MAX);
    if (rc) return linnet_nn_fail(err, rc, "not an ONNX file, or one that is cut short (%zu bytes)", size);
    /* A real file takes about its own size, most of it weights; only one made to exhaust memory takes eight
     * times as much. */
    struct budget budget = {.left = size > SIZE_MAX / 16 ? SIZE_MAX : 8 * size + (64 << 20),
                            .mapped = mapped ? (void *)data : NULL,
                            .size = size};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, size, data);
    if (!model && budget.exceeded)
        return linnet_nn_fail(err, LINNET_E_LIMIT, "the ONNX file would take many times its size in memory");
    if (!model) return linnet_nn_fail(err, LINNET_E_PARSE, "the ONNX file is broken (%zu bytes)", size);
    *out = model;
    return 0;
}
