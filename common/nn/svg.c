/* A network drawn: a box for each operator, one row below the last of those that it reads, and lines between.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/nn/model.h"

#define WIDTH  190
#define HEIGHT 40
#define ACROSS (WIDTH + 20)
#define DOWN   (HEIGHT + 28)

struct drawing {
    const struct linnet_nn_graph *graph;
    uint32_t *row, *column; /* of each node */
    uint32_t *filled;       /* boxes in each row */
    FILE *out;
};

static const char *color_of(enum linnet_nn_op op) {
    switch (op) {
    case LINNET_NN_OP_CONV:
        return "#cfe3f7";
    case LINNET_NN_OP_GEMM:
    case LINNET_NN_OP_MATMUL:
        return "#d9d2f0";
    case LINNET_NN_OP_POOL:
    case LINNET_NN_OP_REDUCE:
        return "#d8eed3";
    case LINNET_NN_OP_CONCAT:
    case LINNET_NN_OP_BINARY:
        return "#f7e6c4";
    default:
        return "#eeeeee";
    }
}

/* Text from a file: what XML takes for markup, and bytes that are no ASCII, are written otherwise. */
static void write_text(FILE *out, const char *text, int most) {
    for (; *text && most-- > 0; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '<' || byte == '&' || byte == '>')
            fprintf(out, "&#%u;", byte);
        else
            fputc(byte < 32 || byte > 126 ? '?' : byte, out);
    }
}

static uint32_t producer_of(const struct drawing *drawing, uint32_t tensor) {
    return drawing->graph->tensors[tensor].producer;
}

/* Nodes are in topological order: what one reads has its row by then. */
static void place(struct drawing *drawing) {
    for (uint32_t i = 0; i < drawing->graph->nnodes; i++) {
        const struct linnet_nn_node *node = &drawing->graph->nodes[i];
        for (uint32_t k = 0; k < node->ninputs; k++) {
            uint32_t from = producer_of(drawing, node->inputs[k]);
            if (from != LINNET_NN_NONE && drawing->row[from] + 1 > drawing->row[i])
                drawing->row[i] = drawing->row[from] + 1;
        }
        drawing->column[i] = drawing->filled[drawing->row[i]]++;
    }
}

static void draw_edges(const struct drawing *drawing, uint32_t i) {
    const struct linnet_nn_node *node = &drawing->graph->nodes[i];
    for (uint32_t k = 0; k < node->ninputs; k++) {
        uint32_t from = producer_of(drawing, node->inputs[k]);
        if (from == LINNET_NN_NONE) continue;
        fprintf(drawing->out, "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" stroke=\"#888\"/>\n",
                drawing->column[from] * ACROSS + WIDTH / 2 + 10, drawing->row[from] * DOWN + HEIGHT + 10,
                drawing->column[i] * ACROSS + WIDTH / 2 + 10, drawing->row[i] * DOWN + 10);
    }
}

static void draw_box(const struct drawing *drawing, uint32_t i) {
    const struct linnet_nn_node *node = &drawing->graph->nodes[i];
    uint32_t x = drawing->column[i] * ACROSS + 10, y = drawing->row[i] * DOWN + 10;
    char shape[128];
    linnet_nn_shape_print(&drawing->graph->tensors[node->output].shape, shape, sizeof shape);
    fprintf(drawing->out, "<g><title>");
    write_text(drawing->out, node->name, 400);
    fprintf(
        drawing->out,
        "</title><rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"5\" fill=\"%s\" stroke=\"#555\"/>"
        "<text x=\"%u\" y=\"%u\">",
        x, y, WIDTH, HEIGHT, color_of(node->op), x + 8, y + 16);
    write_text(drawing->out,
               node->op == LINNET_NN_OP_UNARY ? linnet_nn_function_name(node->at.unary.function)
                                              : linnet_nn_op_name(node->op),
               28);
    fprintf(drawing->out, "</text><text x=\"%u\" y=\"%u\" fill=\"#555\">", x + 8, y + 32);
    write_text(drawing->out, shape, 28);
    fprintf(drawing->out, "</text></g>\n");
}

int linnet_nn_model_draw(const struct linnet_nn_model *model, void *out) {
    size_t count = (size_t)model->graph->nnodes + 1;
    struct drawing drawing = {.graph = model->graph,
                              .row = calloc(count, sizeof(uint32_t)),
                              .column = calloc(count, sizeof(uint32_t)),
                              .filled = calloc(count + 1, sizeof(uint32_t)),
                              .out = out};
    int rc = drawing.row && drawing.column && drawing.filled ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        uint32_t rows = 0, widest = 0;
        place(&drawing);
        for (uint32_t i = 0; i < count && drawing.filled[i]; i++) {
            rows = i + 1;
            if (drawing.filled[i] > widest) widest = drawing.filled[i];
        }
        fprintf(
            drawing.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n",
            widest * ACROSS + 20, rows * DOWN + 20);
        for (uint32_t i = 0; i < drawing.graph->nnodes; i++)
            draw_edges(&drawing, i);
        for (uint32_t i = 0; i < drawing.graph->nnodes; i++)
            draw_box(&drawing, i);
        fprintf(drawing.out, "</svg>\n");
        if (ferror(drawing.out)) rc = LINNET_E_IO;
    }
    free(drawing.row);
    free(drawing.column);
    free(drawing.filled);
    return rc;
}
