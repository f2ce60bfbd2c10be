using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CloudPeer.Api.Hosting;
using CloudPeer.Api.Tests.Relay;
using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

/// <summary>How many calls and connections a device, an account and an address have (docs/operations/limits.md). The clock stands still unless a test moves it.</summary>
public sealed class CallLimitTests(PostgresFixture postgres)
{
    private const int Burst = CallLimiter.BurstSeconds;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task A_device_makes_its_burst_of_calls_and_then_one_a_second(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres, ("CALLS_PER_SECOND", "1"));
        using var alice = await TestDevice.ConnectAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);

        for (var i = 0; i < Burst; i++) Assert.Equal(Reason.NotFound, await CallAsync(alice));
        Assert.Equal(Reason.RateLimited, await CallAsync(alice));
        Assert.Equal(Reason.NotFound, await CallAsync(bob));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Reason.NotFound, await CallAsync(alice));
        Assert.Equal(Reason.RateLimited, await CallAsync(alice));
    }

    [Theory, BothStores]
    public async Task An_account_makes_its_burst_of_calls_and_frames_and_then_one_a_second(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres, ("ACCOUNT_CALLS_PER_SECOND", "1"));
        using var alice = await TestDevice.RegisterAsync(server);
        using var stranger = await TestDevice.ConnectAsync(server);
        await using var stream = new StreamClient(alice);
        for (var i = 1; i < Burst - 1; i++) Assert.Null(await CallAsync(alice));

        await stream.SendAsync(new() { Request = 1 });
        Assert.Equal("MALFORMED", (await stream.NextAsync()).Refused.Reason);
        await stream.SendAsync(new() { Request = 2 });
        Assert.Equal("RATE_LIMITED", (await stream.NextAsync()).Refused.Reason);
        Assert.Equal(Reason.RateLimited, await CallAsync(alice));
        for (var i = 0; i <= Burst; i++) Assert.Equal(Reason.NotFound, await CallAsync(stranger));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await CallAsync(alice));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_signature_that_does_not_verify_costs_as_much_as_many_calls(bool inPush)
    {
        const int perSecond = 10;
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("CALLS_PER_SECOND", "10"));
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        var document = SyncTests.SharedDocument(alice, server);
        await SyncTests.PushAsync(alice, document.Id, document.Envelopes);
        server.Clock.Advance(TimeSpan.FromSeconds(Burst));

        if (inPush)
        {
            var forged = DocumentBuilder.WithBadSignature(document.NextDelta(alice.Key));
            var response = await alice.Sync.PushAsync(SyncTests.Request(document.Id, [forged]), alice.Options);
            Assert.Equal("BAD_SIGNATURE", Assert.Single(response.Results).Refusal.Reason);
        }
        else
        {
            var forged = InboxCalls.Ack(bob.Key, server.Peer, [], alice.Now);
            Assert.Equal(Reason.BadProof, await ReasonAsync(async () => await alice.Inbox.AckAsync(forged, alice.Options)));
        }

        for (var i = 1 + ServerLimits.BadSignatureCalls; i < perSecond * Burst; i++) Assert.Null(await CallAsync(alice));
        Assert.Equal(Reason.RateLimited, await CallAsync(alice));
        Assert.Equal(Reason.NotFound, await CallAsync(bob));
    }

    [Fact]
    public async Task Devices_without_an_account_share_what_their_address_has_and_those_with_one_do_not_notice_it()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("ADDRESS_CALLS_PER_SECOND", "1"));
        using var alice = await TestDevice.RegisterAsync(server);
        using var bob = await TestDevice.ConnectAsync(server);
        using var carol = await TestDevice.ConnectAsync(server);
        await using var stream = new StreamClient(carol);
        // Alice's first call was counted as well, since nobody had asked for her account, and so was that for the stream.
        await stream.SendAsync(new() { Request = 1 });
        Assert.Equal("MALFORMED", (await stream.NextAsync()).Refused.Reason);
        for (var i = 3; i < Burst * CallLimiter.StrangersFactor; i++) Assert.Equal(Reason.NotFound, await CallAsync(i % 2 == 0 ? bob : carol));

        Assert.Equal(Reason.RateLimited, await CallAsync(bob));
        Assert.Equal(Reason.RateLimited, await CallAsync(carol));
        await stream.SendAsync(new() { Request = 2 });
        Assert.Equal("RATE_LIMITED", (await stream.NextAsync()).Refused.Reason);
        Assert.Null(await CallAsync(alice));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < CallLimiter.StrangersFactor; i++) Assert.Equal(Reason.NotFound, await CallAsync(bob));
        Assert.Equal(Reason.RateLimited, await CallAsync(bob));
    }

    [Fact]
    public async Task An_address_makes_its_burst_of_calls_and_page_views_and_then_one_a_second()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("ADDRESS_CALLS_PER_SECOND", "1"));
        var client = new V1.Discovery.DiscoveryClient(server.Channel);
        using var http = server.Http();
        for (var i = 0; i < Burst / 2; i++) await client.GetServerAsync(new(), cancellationToken: Cancel);
        for (var i = 0; i < Burst / 2; i++) Assert.Equal(HttpStatusCode.OK, await GetAsync(http, "/"));

        Assert.Equal(Reason.RateLimited, await Refused.ReasonAsync(async () => await client.GetServerAsync(new(), cancellationToken: Cancel)));
        using var refused = await http.GetAsync("/nothing", Cancel);
        Assert.Equal((HttpStatusCode.TooManyRequests, "application/problem+json"), (refused.StatusCode, refused.Content.Headers.ContentType?.MediaType));
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Contains("Too many requests", await refused.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(http, "/.well-known/cloudpeer"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await GetAsync(http, "/health/live"));
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_each_caller_has_the_address_that_the_proxy_saw()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("ADDRESS_CALLS_PER_SECOND", "1"), ("TRUSTED_PROXIES", "127.0.0.0/8, 192.0.2.1"));
        var client = new V1.Discovery.DiscoveryClient(server.Channel);
        async Task<Reason?> AskAsync(string forwarded) =>
            await ReasonAsync(async () => await client.GetServerAsync(new(), [new("x-forwarded-for", forwarded)], cancellationToken: Cancel));

        for (var i = 0; i < Burst; i++) Assert.Null(await AskAsync("198.51.100.7"));
        Assert.Equal(Reason.RateLimited, await AskAsync("198.51.100.7"));
        // What stands further left was written by the caller itself.
        Assert.Equal(Reason.RateLimited, await AskAsync("203.0.113.5, 198.51.100.7"));
        Assert.Equal(Reason.RateLimited, await AskAsync("203.0.113.5, 198.51.100.7, 192.0.2.1"));
        Assert.Null(await AskAsync("198.51.100.8"));
    }

    [Fact]
    public async Task Without_a_trusted_proxy_nobody_chooses_an_address()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("ADDRESS_CALLS_PER_SECOND", "1"), ("TRUSTED_PROXIES", "192.0.2.1"));
        using var http = server.Http();
        for (var i = 0; i <= Burst; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            request.Headers.Add("X-Forwarded-For", string.Create(CultureInfo.InvariantCulture, $"198.51.100.{i}"));
            using var response = await http.SendAsync(request, Cancel);
            Assert.Equal(i < Burst ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("ADDRESS_CONNECTIONS", "192.0.2.1", false)]
    [InlineData("ADDRESS_CONNECTIONS", "127.0.0.1", true)]
    [InlineData("MAX_CONNECTIONS", "127.0.0.1", false)]
    public async Task There_are_so_many_connections_and_not_one_more(string setting, string proxies, bool more)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, (setting, "3"), ("TRUSTED_PROXIES", proxies));
        var open = new List<TcpClient>();
        for (var i = 0; i < 3; i++)
        {
            open.Add(await ConnectAsync(server));
            Assert.True(await AnswersAsync(open[i]));
        }

        using (var next = await ConnectAsync(server)) Assert.Equal(more, await AnswersAsync(next));
        foreach (var one in open) one.Dispose();
        // Their places are free once the server has seen their ends.
        var answers = false;
        while (!answers)
        {
            using var again = await ConnectAsync(server);
            answers = await AnswersAsync(again);
        }
    }

    [Fact]
    public async Task An_operator_says_how_many_subscriptions_a_stream_has()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("MAX_SUBSCRIPTIONS", "2"));
        using var alice = await TestDevice.RegisterAsync(server);
        await using var stream = new StreamClient(alice);
        for (var i = 0; i < 3; i++)
        {
            var document = new DocumentBuilder(SystemEntropy.Instance, alice.Key);
            await SyncTests.PushAsync(alice, document.Id, [document.Genesis]);
            await stream.SubscribeAsync((ulong)i, document.Id, 1);
            var answer = await stream.NextAsync();
            if (i < 2) Assert.NotNull(answer.CaughtUp);
            else Assert.Equal("TOO_LARGE", answer.Refused.Reason);
        }

        var info = await new V1.Discovery.DiscoveryClient(server.Channel).GetServerAsync(new(), cancellationToken: Cancel);
        Assert.Equal(2u, info.MaxSubscriptions);
    }

    [Theory]
    [InlineData(0UL, 1_000)]
    [InlineData(1UL, 1_001)]
    [InlineData(4_000UL, 5_000)]
    [InlineData(4_001UL, 1_000)]
    public void Those_who_lost_the_server_are_told_to_come_back_at_different_moments(ulong draw, int millis) =>
        Assert.Equal(TimeSpan.FromMilliseconds(millis), RetrySpread.Next(new Fixed(draw)));

    private static Task<Reason?> CallAsync(TestDevice device) => ReasonAsync(async () => await device.Accounts.GetEntitlementAsync(new(), device.Options));

    private static async Task<Reason?> ReasonAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException refused)
        {
            return Refusals.FromRpc(refused).Reason;
        }
    }

    private static async Task<HttpStatusCode> GetAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(path, Cancel);
        return response.StatusCode;
    }

    private static async Task<TcpClient> ConnectAsync(TestServer server)
    {
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, new Uri(server.HttpUrl).Port, Cancel);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // One that is not let in may be gone before it is known to be there.
        }

        return client;
    }

    private static async Task<bool> AnswersAsync(TcpClient client)
    {
        if (!client.Connected) return false;
        try
        {
            await client.GetStream().WriteAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Cancel);
            return await client.GetStream().ReadAsync(new byte[1], Cancel) == 1;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed class Fixed(ulong draw) : IEntropy
    {
        public void Fill(Span<byte> destination) => System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(destination, draw);
    }
}
