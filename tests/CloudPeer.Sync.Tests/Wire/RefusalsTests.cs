using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;
using Status = Grpc.Core.Status;

namespace CloudPeer.Sync.Tests.Wire;

public sealed class RefusalsTests
{
    public static TheoryData<Reason> Travelling => [.. System.Enum.GetValues<Reason>().Where(reason => GrpcStatuses.Of(reason) is not null)];

    [Theory, MemberData(nameof(Travelling))]
    public void A_refused_call_means_the_same_at_the_other_end(Reason reason)
    {
        var refusal = Full(reason);

        AssertSame(refusal, Refusals.FromRpc(Refusals.ToRpc(refusal)));
        Assert.Equal(GrpcStatuses.Of(reason), Refusals.ToRpc(refusal).StatusCode);
        AssertSame(new(reason, "short"), Refusals.FromRpc(Refusals.ToRpc(new(reason, "short"))));
    }

    [Theory, MemberData(nameof(Travelling))]
    public void A_refused_part_of_a_call_means_the_same_at_the_other_end(Reason reason)
    {
        var refusal = Full(reason);

        AssertSame(refusal, WireRefusal.Read(V1.Refusal.Parser.ParseFrom(refusal.ToWire().ToByteArray())));
        AssertSame(new(reason, "short"), WireRefusal.Read(new Refusal(reason, "short").ToWire()));
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, Reason.Unreachable)]
    [InlineData(StatusCode.Cancelled, Reason.Unreachable)]
    [InlineData(StatusCode.DeadlineExceeded, Reason.Timeout)]
    [InlineData(StatusCode.Unauthenticated, Reason.Unauthenticated)]
    [InlineData(StatusCode.ResourceExhausted, Reason.TooLarge)]
    [InlineData(StatusCode.Internal, Reason.Internal)]
    [InlineData(StatusCode.Unimplemented, Reason.NotACloudpeer)]
    [InlineData(StatusCode.Unknown, Reason.NotACloudpeer)]
    public void A_status_without_our_details_says_what_became_of_the_connection(StatusCode code, Reason expected) =>
        Assert.Equal(expected, Refusals.FromRpc(new(new(code, "whatever"))).Reason);

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, Reason.Unreachable)]
    [InlineData(HttpRequestError.NameResolutionError, Reason.Unreachable)]
    [InlineData(HttpRequestError.HttpProtocolError, Reason.NotACloudpeer)]
    [InlineData(HttpRequestError.VersionNegotiationError, Reason.NotACloudpeer)]
    public void What_the_http_client_says_tells_a_dead_server_from_another_one(HttpRequestError error, Reason expected)
    {
        var status = new Status(StatusCode.Internal, "Error starting gRPC call.", new HttpRequestException(error));

        Assert.Equal(expected, Refusals.FromRpc(new(status)).Reason);
    }

    [Fact]
    public void A_reason_of_a_newer_server_is_unsupported_and_its_text_stays_on_one_short_line()
    {
        var refusal = WireRefusal.Read(new() { Reason = "NOT_YET_INVENTED", Message = "a\nb\u001b[31m" + new string('x', 10_000) });

        Assert.Equal(Reason.Unsupported, refusal.Reason);
        Assert.StartsWith("a b [31m", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(400, refusal.Message.Length);
    }

    [Theory]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.Unavailable)]
    public void A_call_refused_for_a_reason_of_a_newer_server_is_unsupported_and_keeps_what_else_it_says(StatusCode code)
    {
        var status = new Google.Rpc.Status
        {
            Code = (int)code,
            Message = "not now\nbut later",
            Details =
            {
                Any.Pack(new ErrorInfo { Domain = Refusals.Domain, Reason = "NOT_YET_INVENTED" }),
                Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(7)) }),
            },
        };

        AssertSame(new(Reason.Unsupported, "not now but later") { RetryAfter = TimeSpan.FromSeconds(7) }, Refusals.FromRpc(status.ToRpcException()));
    }

    [Fact]
    public void Details_that_cannot_be_read_are_as_good_as_none()
    {
        var info = new ErrorInfo { Domain = Refusals.Domain, Reason = Reason.Unavailable.ToUpperSnake() };
        ByteString[] nonsense =
        [
            ByteString.CopyFrom(0xff, 0xff, 0xff),
            new Google.Rpc.Status { Details = { new Any { TypeUrl = Any.Pack(info).TypeUrl, Value = ByteString.CopyFrom(0xff) } } }.ToByteString(),
            new Google.Rpc.Status { Details = { Any.Pack(info), Any.Pack(new RetryInfo { RetryDelay = new() { Seconds = long.MaxValue, Nanos = -1 } }) } }.ToByteString(),
        ];

        foreach (var details in nonsense)
        {
            var failure = new RpcException(new(StatusCode.DeadlineExceeded, "late"), new Metadata { { "grpc-status-details-bin", details.ToByteArray() } });
            Assert.Equal((Reason.Timeout, null), (Refusals.FromRpc(failure).Reason, Refusals.FromRpc(failure).RetryAfter));
        }
    }

    [Fact]
    public void A_refusal_of_nonsense_is_still_read()
    {
        var nonsense = ByteString.CopyFromUtf8("x");

        var refusal = WireRefusal.Read(new() { Reason = "CHAIN_BEHIND", Envelopes = { nonsense }, Author = nonsense, Tip = nonsense, TipSeq = 1 });

        AssertSame(new(Reason.ChainBehind, ""), refusal);
    }

    private static Refusal Full(Reason reason)
    {
        using var author = SigningKey.Generate(SystemEntropy.Instance);
        return new(reason, "why")
        {
            Envelopes = [Id.From<EnvelopeId>(SystemEntropy.Instance.Bytes(32)), Id.From<EnvelopeId>(SystemEntropy.Instance.Bytes(32))],
            RetryAfter = TimeSpan.FromMilliseconds(1_500),
            Quota = new(QuotaResource.AuthorStorage, 1_000, ulong.MaxValue),
            Tip = new(author.Public, 17, Id.From<EnvelopeId>(SystemEntropy.Instance.Bytes(32))),
        };
    }

    private static void AssertSame(Refusal expected, Refusal actual)
    {
        Assert.Equal(expected.Envelopes, actual.Envelopes);
        Assert.Equal(expected with { Envelopes = [] }, actual with { Envelopes = [] });
    }
}
