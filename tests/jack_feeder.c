/* A JACK client named by argv[1] with two output ports that carry the counter of counter.py.
 *
 * The index is the server's frame time, so a cycle that the server or a reader loses shows as a
 * jump. Prints one line when it runs; ends when its standard input does, or with the server.
 */
#include <jack/jack.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BITS = 15, MASK = (1 << BITS) - 1 };

static jack_client_t *client;
static jack_port_t *ports[2];

static int process(jack_nframes_t n_samples, void *unused)
{
    (void)unused;
    float *low = jack_port_get_buffer(ports[0], n_samples);
    float *high = jack_port_get_buffer(ports[1], n_samples);
    jack_nframes_t start = jack_last_frame_time(client);
    for (jack_nframes_t i = 0; i < n_samples; i++) {
        jack_nframes_t index = start + i;
        low[i] = (float)(index & MASK) / (1 << BITS);
        high[i] = (float)(index >> BITS & MASK) / (1 << BITS);
    }
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
    if (argc != 2)
        return 2;
    client = jack_client_open(argv[1], JackNoStartServer | JackUseExactName, NULL);
    if (!client)
        return 1;
    ports[0] = jack_port_register(client, "low", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    ports[1] = jack_port_register(client, "high", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    jack_set_process_callback(client, process, NULL);
    jack_on_shutdown(client, server_gone, NULL);
    if (!ports[0] || !ports[1] || jack_activate(client))
        return 1;
    puts("running");
    fflush(stdout);
    while (read(STDIN_FILENO, line, sizeof line) > 0)
        ;
    jack_client_close(client);
    return 0;
}
