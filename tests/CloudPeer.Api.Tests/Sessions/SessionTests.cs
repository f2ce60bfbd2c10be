using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Sessions;

public sealed class SessionTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, BothStores]
    public async Task A_device_and_the_server_prove_themselves_and_the_token_opens_calls(StoreKind store)
    {
        await using var server = await TestServer.StartAsync(store, postgres);
        using var device = await TestDevice.ConnectAsync(server);

        Assert.Equal(server.Peer, device.Session.Server);
        Assert.Equal((TestServer.Start + SessionAuthority.TokenLifetime).ToMicros(), device.Session.ExpiresMicros);
        Assert.Equal(Reason.NotFound, await Refused.ReasonAsync(async () => await device.Accounts.GetEntitlementAsync(new(), device.Options)));
    }

    [Fact]
    public async Task A_token_is_good_until_its_end_and_also_after_a_restart()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var device = await TestDevice.RegisterAsync(server);
        server.Clock.Advance(SessionAuthority.TokenLifetime - TimeSpan.FromMicroseconds(1));

        await server.RestartAsync();

        await device.Accounts.GetEntitlementAsync(new(), device.Options);
        server.Clock.Advance(TimeSpan.FromMicroseconds(1));
        Assert.Equal(Reason.Unauthenticated, await Refused.ReasonAsync(async () => await device.Accounts.GetEntitlementAsync(new(), device.Options)));
    }

    [Fact]
    public async Task Every_service_but_the_open_ones_needs_a_session()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var device = await TestDevice.ConnectAsync(server);
        var none = new CallOptions(cancellationToken: Cancel);
        Func<Task>[] calls =
        [
            async () => await device.Accounts.CreateAsync(new(), none),
            async () => await device.Accounts.GetEntitlementAsync(new(), none),
            async () => await device.Keys.GetCardAsync(new(), none),
            async () => await device.Inbox.SendAsync(new(), none),
            async () => await device.Inbox.AckAsync(new(), none),
            async () => await device.Inbox.Receive(new(), none).ResponseStream.MoveNext(Cancel),
            async () => await device.Sync.PushAsync(new(), none),
            async () => await device.Sync.Pull(new(), none).ResponseStream.MoveNext(Cancel),
            async () => await device.Sync.Stream(none).ResponseStream.MoveNext(Cancel),
        ];

        foreach (var call in calls) Assert.Equal(Reason.Unauthenticated, await Refused.ReasonAsync(call));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer x")]
    [InlineData("Basic dXNlcjpwYXNz")]
    public async Task Another_header_is_no_session(string header)
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var device = await TestDevice.ConnectAsync(server);
        var options = new CallOptions([new("authorization", header)], cancellationToken: Cancel);

        Assert.Equal(Reason.Unauthenticated, await Refused.ReasonAsync(async () => await device.Accounts.GetEntitlementAsync(new(), options)));
    }

    [Fact]
    public async Task A_token_with_any_changed_letter_is_refused()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var device = await TestDevice.RegisterAsync(server);
        var token = device.Session.Token;
        for (var i = 0; i < token.Length; i += 7)
        {
            var changed = string.Concat(token.AsSpan(0, i), token[i] == 'A' ? "B" : "A", token.AsSpan(i + 1));
            var options = new CallOptions([new("authorization", "Bearer " + changed)], cancellationToken: Cancel);
            Assert.Equal(Reason.Unauthenticated, await Refused.ReasonAsync(async () => await device.Accounts.GetEntitlementAsync(new(), options)));
        }
    }

    [Fact]
    public async Task A_challenge_is_answered_within_a_minute_or_not_at_all()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var key = SigningKey.Generate(SystemEntropy.Instance);
        var (client, request) = await ChallengedAsync(server, key);
        server.Clock.Advance(SessionAuthority.ChallengeLifetime - TimeSpan.FromMicroseconds(1));
        Assert.NotEmpty((await client.OpenAsync(request, cancellationToken: Cancel)).Token);

        server.Clock.Advance(TimeSpan.FromMicroseconds(1));

        Assert.Equal(Reason.BadProof, await Refused.ReasonAsync(async () => await client.OpenAsync(request, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task A_proof_for_one_peer_opens_no_session_for_another()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var key = SigningKey.Generate(SystemEntropy.Instance);
        using var other = SigningKey.Generate(SystemEntropy.Instance);
        var (client, request) = await ChallengedAsync(server, key);

        request.Peer = other.Public.ToWire();

        Assert.Equal(Reason.BadProof, await Refused.ReasonAsync(async () => await client.OpenAsync(request, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task Every_changed_byte_of_a_proof_is_refused()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var key = SigningKey.Generate(SystemEntropy.Instance);
        var (client, request) = await ChallengedAsync(server, key);
        V1.OpenRequest[] changed =
        [
            .. Enumerable.Range(0, request.Challenge.Length).Select(i => new V1.OpenRequest(request) { Challenge = Flip(request.Challenge, i) }),
            .. Enumerable.Range(0, request.ClientNonce.Length).Select(i => new V1.OpenRequest(request) { ClientNonce = Flip(request.ClientNonce, i) }),
            .. Enumerable.Range(0, request.Signature.Length).Select(i => new V1.OpenRequest(request) { Signature = Flip(request.Signature, i) }),
            new(request) { Micros = request.Micros + 1 },
        ];

        foreach (var wrong in changed)
            Assert.Equal(Reason.BadProof, await Refused.ReasonAsync(async () => await client.OpenAsync(wrong, cancellationToken: Cancel)));
        Assert.NotEmpty((await client.OpenAsync(request, cancellationToken: Cancel)).Token);
    }

    [Fact]
    public async Task A_client_that_expects_another_server_sends_no_proof()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        using var key = SigningKey.Generate(SystemEntropy.Instance);
        using var other = SigningKey.Generate(SystemEntropy.Instance);

        var refused = await Assert.ThrowsAsync<TlfsException>(() =>
            SessionCalls.OpenAsync(new(server.Channel), key, other.Public, SystemEntropy.Instance, server.Clock, new(cancellationToken: Cancel)));

        Assert.Equal(Reason.WrongServer, refused.Reason);
    }

    [Fact]
    public async Task Malformed_requests_say_what_is_wrong()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres);
        var client = new V1.Session.SessionClient(server.Channel);
        var peer = ByteString.CopyFrom(new byte[32]);

        Assert.Equal(Reason.Malformed, await Refused.ReasonAsync(async () => await client.ChallengeAsync(new(), cancellationToken: Cancel)));
        Assert.Equal(Reason.Malformed, await Refused.ReasonAsync(async () => await client.ChallengeAsync(new() { Peer = peer }, cancellationToken: Cancel)));
        Assert.Equal(Reason.Malformed, await Refused.ReasonAsync(async () => await client.OpenAsync(new() { Peer = peer }, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task Too_many_calls_without_a_session_are_told_when_to_come_back()
    {
        await using var server = await TestServer.StartAsync(StoreKind.Sqlite, postgres, ("ADDRESS_CALLS_PER_SECOND", "1"));
        var client = new V1.Discovery.DiscoveryClient(server.Channel);

        var refusal = await Refused.RefusalAsync(async () =>
        {
            for (var i = 0; i < 1_000; i++) await client.GetServerAsync(new(), cancellationToken: Cancel);
        });

        Assert.Equal(Reason.RateLimited, refusal.Reason);
        Assert.Equal(TimeSpan.FromSeconds(1), refusal.RetryAfter);
    }

    private static async Task<(V1.Session.SessionClient Client, V1.OpenRequest Request)> ChallengedAsync(TestServer server, SigningKey key)
    {
        var client = new V1.Session.SessionClient(server.Channel);
        var claim = SessionClaim.Start(key, server.Peer, SystemEntropy.Instance);
        var nonce = claim.Nonce.ToWire();
        var issued = await client.ChallengeAsync(new() { Peer = key.Public.ToWire(), ClientNonce = nonce }, cancellationToken: Cancel);
        var micros = server.Clock.Micros();
        var signature = claim.Answer(Id.From<PeerId>(issued.Server.Span), issued.Challenge.Span, issued.Signature.Span, micros);
        return (client, new()
        {
            Peer = key.Public.ToWire(),
            ClientNonce = nonce,
            Challenge = issued.Challenge,
            Micros = micros,
            Signature = ByteString.CopyFrom(signature),
        });
    }

    private static ByteString Flip(ByteString bytes, int at)
    {
        var changed = bytes.ToByteArray();
        changed[at] ^= 1;
        return ByteString.CopyFrom(changed);
    }
}
