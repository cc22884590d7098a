/* Where this server may fetch from on somebody's behalf: hosts of the list, and addresses of the public
 * internet. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/test.h"
#include "workers/serve/fetch.h"

static bool is_public(const char *text) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (strchr(text, ':') == NULL) {
        assert_int_equal(inet_pton(AF_INET, text, &four.sin_addr), 1);
        return serve_address_public((struct sockaddr *)&four);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return serve_address_public((struct sockaddr *)&six);
}

static void addresses_that_are_not_public_are_told(void **state) {
    static const char *const private[] = {"0.0.0.0",
                                          "10.1.2.3",
                                          "100.64.0.1",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "127.9.9.9",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.1",
                                          "192.0.2.1",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "198.19.255.255",
                                          "198.51.100.7",
                                          "203.0.113.9",
                                          "224.0.0.1",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "ff02::1",
                                          "::ffff:10.0.0.1",
                                          "::ffff:127.0.0.1",
                                          "64:ff9b::a00:1",
                                          "64:ff9b:1::1",
                                          "2002:a00:1::1",
                                          "2002:7f00:1::",
                                          "2001::1",
                                          "2001:db8::1",
                                          "::10.0.0.1"};
    static const char *const public[] = {
        "1.1.1.1",      "8.8.8.8",        "100.63.255.255",   "100.128.0.0",     "172.15.0.1",
        "172.32.0.1",   "192.167.1.1",    "198.17.0.1",       "223.255.255.255", "2606:4700::1111",
        "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"};
    (void)state;
    for (size_t i = 0; i < sizeof private / sizeof *private; i++)
        if (is_public(private[i])) fail_msg("%s counts as public", private[i]);
    for (size_t i = 0; i < sizeof public / sizeof *public; i++)
        if (!is_public(public[i])) fail_msg("%s does not count as public", public[i]);
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(serve_address_public(&other));
}

static void hosts_are_those_of_the_list(void **state) {
    json_t *hosts = json_pack("[s, s, s]", "images.example.org", ".example.net", "");
    (void)state;
    assert_true(serve_host_allowed(hosts, "images.example.org"));
    assert_true(serve_host_allowed(hosts, "IMAGES.example.org"));
    assert_true(serve_host_allowed(hosts, "a.b.example.net"));
    assert_false(serve_host_allowed(hosts, "example.net"));
    assert_false(serve_host_allowed(hosts, "evilexample.net"));
    assert_false(serve_host_allowed(hosts, "a.images.example.org"));
    assert_false(serve_host_allowed(hosts, "images.example.org.evil"));
    assert_false(serve_host_allowed(hosts, ""));
    assert_false(serve_host_allowed(NULL, "images.example.org"));
    json_decref(hosts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_are_not_public_are_told),
        cmocka_unit_test(hosts_are_those_of_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
