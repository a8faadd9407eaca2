// SPDX-License-Identifier: MIT

// ollama.go -- a guest in the shape of Ollama 0.30: it runs each model in a llama-server
// of its own, which it starts with its environment and ends by SIGKILL.
//
//	ollama serve LLAMA-SERVER MODEL...
//
// Asks each model once and prints the tokens. It knows nothing of taffrail.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	check(err)
	return port
}

// One request; "" when nobody answers yet.
func request(port, method, path, body string) string {
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return ""
	}
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, len(body), body)
	answer, err := io.ReadAll(bufio.NewReader(c))
	if err != nil || !strings.Contains(strings.SplitN(string(answer), "\n", 2)[0], "200") {
		return ""
	}
	return string(answer)
}

// The list that stands behind "tokens": in an answer.
func tokens(answer string) string {
	_, rest, _ := strings.Cut(answer, `"tokens":[`)
	list, _, _ := strings.Cut(rest, "]")
	return list
}

func serve(server, model string) {
	port := freePort()
	cmd := exec.Command(server, "--model", model, "--port", port, "--host", "127.0.0.1", "--offline",
		"-c", "512", "-np", "2", "--device", "none")
	cmd.Env = os.Environ()
	check(cmd.Start())
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	for request(port, "GET", "/health", "") == "" {
		select {
		case <-done:
			fmt.Println(cmd.ProcessState)
			os.Exit(1)
		case <-time.After(20 * time.Millisecond):
		}
	}
	fmt.Println(tokens(request(port, "POST", "/completion", `{"prompt": "hello", "n_predict": 8,
		"temperature": 0, "return_tokens": true, "ignore_eos": true, "grammar": "root ::= [ -~]*"}`)))
	check(cmd.Process.Kill())
	<-done
	fmt.Println(cmd.ProcessState)
}

func main() {
	for _, model := range os.Args[3:] {
		serve(os.Args[2], model)
	}
}
