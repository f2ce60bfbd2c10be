using System.Globalization;
using System.Net;
using CloudPeer.Sync.Relay;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Wire;

/// <summary>
/// The one mapping between a <see cref="Refusal"/> and gRPC's rich error model, for both ends (docs/protocol/errors.md). What a
/// program needs travels in <c>ErrorInfo</c>; <c>RetryInfo</c>, <c>QuotaFailure</c> and <c>PreconditionFailure</c> say the same in the standard words.
/// </summary>
public static class Refusals
{
    /// <summary>The domain of our <c>ErrorInfo</c>.</summary>
    public const string Domain = "cloudpeer";

    private const int MaxEnvelopes = 64;
    private const string Envelopes = "envelopes", Resource = "resource", Limit = "limit", Used = "used", Author = "author", TipSeq = "tipSeq", Tip = "tip";

    /// <summary>A refused call, as the server throws it.</summary>
    public static RpcException ToRpc(Refusal refusal)
    {
        var code = GrpcStatuses.Of(refusal.Reason) ?? StatusCode.Internal;
        var status = new Google.Rpc.Status { Code = (int)code, Message = refusal.Message };
        foreach (var detail in Details(refusal)) status.Details.Add(Any.Pack(detail));
        return status.ToRpcException();
    }

    /// <summary>What a failed call means: the server's refusal, or what became of the connection.</summary>
    public static Refusal FromRpc(RpcException failure) => TryReadDetails(failure) ?? new(WithoutDetails(failure), Explain(failure));

    // Whatever stands there is from outside: what cannot be read is as good as nothing.
    private static Refusal? TryReadDetails(RpcException failure)
    {
        try
        {
            var status = failure.GetRpcStatus();
            var info = status?.GetDetail<ErrorInfo>();
            if (info is not { Domain: Domain }) return null;

            // One that this version does not know (docs/protocol/errors.md).
            if (!ReasonText.TryParseUpperSnake(info.Reason, out var reason)) reason = Reason.Unsupported;
            return FromDetails(reason, status!, info);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException or OverflowException)
        {
            return null;
        }
    }

    private static IEnumerable<IMessage> Details(Refusal refusal)
    {
        yield return Info(refusal);
        if (refusal.RetryAfter is { } delay) yield return new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) };
        if (refusal.Quota is { } quota)
            yield return new QuotaFailure { Violations = { new QuotaFailure.Types.Violation { Subject = quota.Resource.ToText(), Description = refusal.Message } } };
        if (refusal.Tip is { } tip)
        {
            var violation = new PreconditionFailure.Types.Violation { Type = "CHAIN", Subject = tip.Author.ToString(), Description = refusal.Message };
            yield return new PreconditionFailure { Violations = { violation } };
        }
    }

    private static ErrorInfo Info(Refusal refusal)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = refusal.Reason.ToUpperSnake() };
        if (refusal.Envelopes.Count > 0) info.Metadata.Add(Envelopes, string.Join(',', refusal.Envelopes.Take(MaxEnvelopes)));
        if (refusal.Quota is { } quota)
        {
            info.Metadata.Add(Resource, quota.Resource.ToText());
            info.Metadata.Add(Limit, Text(quota.Limit));
            info.Metadata.Add(Used, Text(quota.Used));
        }

        if (refusal.Tip is { } tip)
        {
            info.Metadata.Add(Author, tip.Author.ToString());
            info.Metadata.Add(TipSeq, Text(tip.Seq));
            info.Metadata.Add(Tip, tip.Id.ToString());
        }

        return info;
    }

    private static Refusal FromDetails(Reason reason, Google.Rpc.Status status, ErrorInfo info) => new(reason, WireRefusal.OneLine(status.Message))
    {
        Envelopes = ReadEnvelopes(info),
        RetryAfter = status.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan(),
        Quota = ReadQuota(info),
        Tip = ReadTip(info),
    };

    private static QuotaUse? ReadQuota(ErrorInfo info)
    {
        if (Number(info, Limit) is not { } limit || Number(info, Used) is not { } used) return null;
        return new(QuotaResourceText.TryParse(info.Metadata.GetValueOrDefault(Resource), out var resource) ? resource : QuotaResource.Storage, limit, used);
    }

    private static EnvelopeId[] ReadEnvelopes(ErrorInfo info)
    {
        if (!info.Metadata.TryGetValue(Envelopes, out var text)) return [];
        var ids = new List<EnvelopeId>();
        foreach (var part in text.Split(',').Take(MaxEnvelopes))
            if (Id.TryParse<EnvelopeId>(part, out var id)) ids.Add(id);
        return [.. ids];
    }

    private static ChainTip? ReadTip(ErrorInfo info)
    {
        if (Number(info, TipSeq) is not { } seq) return null;
        return Id.TryParse<PeerId>(info.Metadata.GetValueOrDefault(Author), out var author)
            && Id.TryParse<EnvelopeId>(info.Metadata.GetValueOrDefault(Tip), out var tip)
            ? new ChainTip(author, seq, tip)
            : null;
    }

    private static ulong? Number(ErrorInfo info, string key) =>
        ulong.TryParse(info.Metadata.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Reason WithoutDetails(RpcException failure) => failure.StatusCode switch
    {
        StatusCode.Unavailable => Reason.Unreachable,
        StatusCode.DeadlineExceeded => Reason.Timeout,
        StatusCode.Cancelled => Reason.Unreachable,
        StatusCode.Unauthenticated => Reason.Unauthenticated,
        StatusCode.ResourceExhausted => Reason.TooLarge,
        StatusCode.Internal when failure.Status.DebugException is null => Reason.Internal,
        StatusCode.Internal when IsConnectionFailure(failure.Status.DebugException) => Reason.Unreachable,
        // Another HTTP server, a proxy's page, or a gRPC server that is no cloudpeer.
        _ => Reason.NotACloudpeer,
    };

    private static bool IsConnectionFailure(Exception? exception) => exception switch
    {
        HttpRequestException { StatusCode: null } http => http.HttpRequestError is HttpRequestError.ConnectionError
            or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        HttpRequestException { StatusCode: HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout } => true,
        IOException => true,
        _ => false,
    };

    private static string Explain(RpcException failure) => WithoutDetails(failure) switch
    {
        Reason.Unreachable => "the server cannot be reached",
        Reason.Timeout => "the server did not answer in time",
        Reason.NotACloudpeer => "the address does not answer as a cloudpeer",
        Reason.TooLarge => "a message is larger than one frame may be",
        _ => $"the server failed ({failure.StatusCode})",
    };

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
