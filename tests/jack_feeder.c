/* A JACK client named by argv[1] with two output ports that carry the counter of counter.py, and
 * two input ports of which argv[2] seconds are kept.
 *
 * The index is the server's frame time, so a cycle that the server or a reader loses shows as a
 * jump. Prints one line when it runs; ends when its standard input does, or with the server. At
 * the end what was heard is written to the file argv[3]: the frame time of the first sample as
 * int64, then float pairs, zeros where a cycle was lost.
 */
#include <jack/jack.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BITS = 15, MASK = (1 << BITS) - 1 };

static jack_client_t *client;
static jack_port_t *outputs[2], *inputs[2];
static float (*heard)[2];
static int64_t first = -1, room, used;

static int process(jack_nframes_t n_samples, void *unused)
{
    (void)unused;
    float *low = jack_port_get_buffer(outputs[0], n_samples);
    float *high = jack_port_get_buffer(outputs[1], n_samples);
    jack_nframes_t start = jack_last_frame_time(client);
    for (jack_nframes_t i = 0; i < n_samples; i++) {
        jack_nframes_t index = start + i;
        low[i] = (float)(index & MASK) / (1 << BITS);
        high[i] = (float)(index >> BITS & MASK) / (1 << BITS);
    }
    if (first < 0)
        first = start;
    for (int channel = 0; channel < 2; channel++) {
        const float *in = jack_port_get_buffer(inputs[channel], n_samples);
        for (jack_nframes_t i = 0; i < n_samples; i++) {
            int64_t at = (int64_t)start - first + i;
            if (at < room)
                heard[at][channel] = in[i];
        }
    }
    used = (int64_t)start - first + n_samples;
    return 0;
}

static void server_gone(void *unused)
{
    (void)unused;
    _exit(1);
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 4)
        return 2;
    client = jack_client_open(argv[1], JackNoStartServer | JackUseExactName, NULL);
    if (!client)
        return 1;
    room = (int64_t)(atof(argv[2]) * jack_get_sample_rate(client));
    heard = calloc(room + 1, sizeof *heard);
    outputs[0] = jack_port_register(client, "low", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    outputs[1] = jack_port_register(client, "high", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    inputs[0] = jack_port_register(client, "left", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    inputs[1] = jack_port_register(client, "right", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    jack_set_process_callback(client, process, NULL);
    jack_on_shutdown(client, server_gone, NULL);
    if (!heard || !outputs[0] || !outputs[1] || !inputs[0] || !inputs[1] || jack_activate(client))
        return 1;
    puts("running");
    fflush(stdout);
    while (read(STDIN_FILENO, line, sizeof line) > 0)
        ;
    jack_deactivate(client);
    FILE *file = fopen(argv[3], "wb");
    if (file) {
        fwrite(&first, sizeof first, 1, file);
        fwrite(heard, sizeof *heard, used < room ? used : room, file);
        fclose(file);
    }
    jack_client_close(client);
    return 0;
}
