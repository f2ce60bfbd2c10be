using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

public sealed class PageTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task Well_known_and_discovery_say_the_same(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres, ("NAME", "Our <peer>"), ("BASE_URL", "https://peer.example.org/"));
        using var http = server.Http();
        using var json = JsonDocument.Parse(await http.GetStringAsync("/.well-known/cloudpeer", Cancel));
        var info = await new V1.Discovery.DiscoveryClient(server.Channel).GetServerAsync(new(), cancellationToken: Cancel);

        Assert.Equal(server.Peer.ToString(), json.RootElement.GetProperty("server").GetString());
        Assert.Equal(server.Peer, WireIds.Read<PeerId>(info.Server, "server"));
        Assert.Equal("Our <peer>", json.RootElement.GetProperty("name").GetString());
        Assert.Equal("https://peer.example.org", json.RootElement.GetProperty("baseUrl").GetString());
        Assert.Equal(server.GrpcUrl, json.RootElement.GetProperty("grpcUrl").GetString());
        Assert.Equal(server.GrpcUrl, info.GrpcUrl);
        Assert.Equal("open", json.RootElement.GetProperty("registration").GetString());
        Assert.Equal(1, json.RootElement.GetProperty("protocol").GetProperty("max").GetInt32());
        Assert.Equal(1 << 20, json.RootElement.GetProperty("limits").GetProperty("envelopeBytes").GetInt32());
    }

    [Fact]
    public async Task A_server_on_all_addresses_tells_each_client_the_name_by_which_it_came()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("BIND", "*"));
        using var http = server.Http();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/cloudpeer") { Headers = { Host = "peer.lan:80" } };
        using var response = await http.SendAsync(request, Cancel);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel));

        Assert.StartsWith("http://peer.lan:", json.RootElement.GetProperty("grpcUrl").GetString(), StringComparison.Ordinal);
        Assert.Equal("closed", json.RootElement.GetProperty("registration").GetString());
    }

    [Fact]
    public async Task The_start_page_says_who_the_server_is_and_what_to_type()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("NAME", "<b>Peer</b>"));
        using var http = server.Http();
        using var response = await http.GetAsync("/", Cancel);
        var html = await response.Content.ReadAsStringAsync(Cancel);

        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains(server.Peer.ToString(), html, StringComparison.Ordinal);
        Assert.Contains($"dotnet run --project src/Tlfs.Cli -- cloudpeer add {server.HttpUrl}", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;Peer&lt;/b&gt;", html, StringComparison.Ordinal);
        Assert.Contains("<html lang=\"en\">", html, StringComparison.Ordinal);
        Assert.Contains("<main>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("{{", html, StringComparison.Ordinal);
        foreach (var link in new[] { "/style.css", "/.well-known/cloudpeer", "/health/ready" })
        {
            Assert.Contains($"href=\"{link}\"", html, StringComparison.Ordinal);
            using var target = await http.GetAsync(link, Cancel);
            Assert.Equal(HttpStatusCode.OK, target.StatusCode);
        }
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/style.css")]
    [InlineData("/nothing")]
    [InlineData("/health/live")]
    public async Task Every_answer_carries_the_security_headers(string path)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var http = server.Http();
        using var response = await http.GetAsync(path, Cancel);

        Assert.StartsWith("default-src 'none'", Header(response, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header(response, "Referrer-Policy"));
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task An_address_that_does_not_exist_answers_people_with_a_page_and_programs_with_problem_json()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var http = server.Http();
        using var program = await http.GetAsync("/nothing", Cancel);
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        using var person = await http.GetAsync("/nothing", Cancel);

        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (program.StatusCode, program.Content.Headers.ContentType?.MediaType));
        Assert.Equal((HttpStatusCode.NotFound, "text/html"), (person.StatusCode, person.Content.Headers.ContentType?.MediaType));
        Assert.Contains("To the start page", await person.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory, BothStores]
    public async Task A_running_server_is_live_and_ready_over_http_and_grpc(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var http = server.Http();
        using var live = JsonDocument.Parse(await http.GetStringAsync("/health/live", Cancel));
        using var ready = JsonDocument.Parse(await http.GetStringAsync("/health/ready", Cancel));
        var grpc = await new Health.HealthClient(server.Channel).CheckAsync(new(), cancellationToken: Cancel);

        Assert.Equal("healthy", live.RootElement.GetProperty("status").GetString());
        Assert.Equal("healthy", ready.RootElement.GetProperty("status").GetString());
        Assert.Equal(
            "dataFolder database relay serving",
            string.Join(' ', ready.RootElement.GetProperty("checks").EnumerateObject().Select(check => check.Name).Order(StringComparer.Ordinal)));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, grpc.Status);
    }

    // A balancer that asks during a stop made an error in the log of every stop, and failed a test whose server stopped as its health was looked at.
    [Fact]
    public async Task A_server_that_stops_is_not_ready_which_is_no_error()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var http = server.Http();
        server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        using var response = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), Cancel);
        var grpc = await new Health.HealthClient(server.Channel).CheckAsync(new(), cancellationToken: Cancel);

        using var ready = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("serving", Assert.Single(ready.RootElement.GetProperty("checks").EnumerateObject(), check => check.Value.GetString() is not "healthy").Name);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, grpc.Status);
    }

    [Fact]
    public async Task A_browser_of_another_site_may_use_grpc_web()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var http = server.Http();
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/cloudpeer.v1.Sync/Pull");
        preflight.Headers.Add("Origin", "https://app.example.org");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "authorization,content-type,x-grpc-web");
        using var response = await http.SendAsync(preflight, Cancel);

        Assert.Equal("*", Header(response, "Access-Control-Allow-Origin"));
        Assert.Contains("authorization", Header(response, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
    }

    private static string Header(HttpResponseMessage response, string name) => string.Join(',', response.Headers.GetValues(name));
}
