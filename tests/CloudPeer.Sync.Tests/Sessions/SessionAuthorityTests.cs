using CloudPeer.Sync.Sessions;
using CloudPeer.TestKit;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Sync.Tests.Sessions;

public sealed class SessionAuthorityTests : IDisposable
{
    private readonly SeededEntropy _entropy = new(7);
    private readonly FakeTimeProvider _clock = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SigningKey _server;
    private readonly SigningKey _device;
    private readonly SessionAuthority _authority;

    public SessionAuthorityTests()
    {
        _server = SigningKey.Generate(_entropy);
        _device = SigningKey.Generate(_entropy);
        _authority = new(_server, _entropy, _clock);
    }

    [Fact]
    public void Both_ends_agree_and_another_node_with_the_same_key_accepts_what_this_one_issued()
    {
        using var node = new SessionAuthority(_server, _entropy, _clock);
        var claim = SessionClaim.Start(_device, _server.Public, _entropy);
        var issued = _authority.Challenge(_device.Public, claim.Nonce.Span);
        var answer = claim.Answer(_server.Public, issued.Challenge, issued.Signature, 5);

        var token = node.Open(_device.Public, claim.Nonce.Span, issued.Challenge, 5, answer);

        Assert.NotNull(token);
        Assert.Equal(_device.Public, _authority.Authenticate(token.Value.Token));
        Assert.DoesNotContain(token.Value.Token, token.Value.ToString(), StringComparison.Ordinal);
        Assert.True(issued.Challenge.Length <= SessionProof.ChallengeBytes);
    }

    [Fact]
    public void Another_server_accepts_neither_challenge_nor_token_nor_the_answer_meant_for_this_one()
    {
        using var otherKey = SigningKey.Generate(_entropy);
        using var other = new SessionAuthority(otherKey, _entropy, _clock);
        var claim = SessionClaim.Start(_device, _server.Public, _entropy);
        var issued = _authority.Challenge(_device.Public, claim.Nonce.Span);
        var answer = claim.Answer(_server.Public, issued.Challenge, issued.Signature, 5);
        var token = _authority.Open(_device.Public, claim.Nonce.Span, issued.Challenge, 5, answer)!.Value;

        Assert.Null(other.Open(_device.Public, claim.Nonce.Span, issued.Challenge, 5, answer));
        Assert.Null(other.Authenticate(token.Token));

        // A server in the middle passes on the real server's challenge as its own: the client's answer is no good at the real one.
        var relayed = SessionClaim.Start(_device, otherKey.Public, _entropy);
        var real = _authority.Challenge(_device.Public, relayed.Nonce.Span);
        var signed = SessionProof.SignAsServer(otherKey, _device.Public, relayed.Nonce.Span, real.Challenge);
        var stolen = relayed.Answer(otherKey.Public, real.Challenge, signed, 5);
        Assert.Null(_authority.Open(_device.Public, relayed.Nonce.Span, real.Challenge, 5, stolen));
    }

    [Fact]
    public void A_client_answers_no_server_that_does_not_prove_the_expected_key()
    {
        var claim = SessionClaim.Start(_device, _server.Public, _entropy);
        var issued = _authority.Challenge(_device.Public, claim.Nonce.Span);
        var otherNonce = _authority.Challenge(_device.Public, _entropy.Bytes(SessionProof.NonceBytes));
        byte[] tooLong = new byte[SessionProof.ChallengeBytes + 1];

        AssertWrongServer(() => claim.Answer(_device.Public, issued.Challenge, issued.Signature, 5));
        AssertWrongServer(() => claim.Answer(_server.Public, otherNonce.Challenge, otherNonce.Signature, 5));
        AssertWrongServer(() => claim.Answer(_server.Public, issued.Challenge, issued.Signature.AsSpan(0, 63), 5));
        AssertWrongServer(() => claim.Answer(
            _server.Public, tooLong, SessionProof.SignAsServer(_server, _device.Public, claim.Nonce.Span, tooLong), 5));
    }

    [Fact]
    public void A_challenge_is_never_a_token_and_no_noise_is_either()
    {
        var issued = _authority.Challenge(_device.Public, new byte[SessionProof.NonceBytes]);

        Assert.Null(_authority.Authenticate(System.Buffers.Text.Base64Url.EncodeToString(issued.Challenge)));
        for (var length = 0; length < 200; length++)
            Assert.Null(_authority.Authenticate(System.Buffers.Text.Base64Url.EncodeToString(_entropy.Bytes(length))));
        Assert.Null(_authority.Authenticate(new string('!', 98)));
    }

    [Fact]
    public void A_signed_request_is_good_for_one_server_method_time_and_content()
    {
        var now = _clock.GetUtcNow();
        var micros = now.ToMicros();
        MessageId[] ids = [new(new(_entropy.Bytes(32)))];
        var bytes = SignedRequest.AckBytes(ids);
        var signature = SignedRequest.Sign(_device, _server.Public, SignedRequest.InboxAck, micros, bytes);
        var late = now + SignedRequest.Tolerance;

        Assert.True(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, micros, bytes, signature, now));
        Assert.True(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, micros, bytes, signature, late));
        Assert.True(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, micros, bytes, signature, now - SignedRequest.Tolerance));
        Assert.False(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, micros, bytes, signature, late + TimeSpan.FromMicroseconds(1)));
        Assert.False(SignedRequest.Verify(_device.Public, _device.Public, SignedRequest.InboxAck, micros, bytes, signature, now));
        Assert.False(SignedRequest.Verify(_device.Public, _server.Public, "/cloudpeer.v1.Inbox/Other", micros, bytes, signature, now));
        Assert.False(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, micros + 1, bytes, signature, now));
        Assert.False(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, micros, SignedRequest.AckBytes([]), signature, now));
        Assert.False(SignedRequest.Verify(_device.Public, _server.Public, SignedRequest.InboxAck, ulong.MaxValue, bytes, signature, now));
    }

    [Fact]
    public void Micros_and_instants_agree_and_end_with_the_calendar()
    {
        var instant = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.FromHours(2)).AddTicks(12_340);

        Assert.Equal(instant, UnixMicros.ToInstant(instant.ToMicros()));
        Assert.Equal(0UL, DateTimeOffset.MinValue.ToMicros());
        Assert.Equal(DateTimeOffset.MaxValue, UnixMicros.ToInstant(ulong.MaxValue));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _server.Dispose();
        _device.Dispose();
    }

    private static void AssertWrongServer(Func<byte[]> answer) =>
        Assert.Equal(Reason.WrongServer, Assert.Throws<TlfsException>(answer).Reason);
}
