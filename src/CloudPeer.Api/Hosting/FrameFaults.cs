using System.Globalization;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// A message that cannot be read is refused by the framework before a call begins, so no interceptor sees it and no session is asked for. This gives the refusal
/// a reason, and counts it against the address; who goes on sending such messages loses the connection.
/// </summary>
internal static class FrameFaults
{
    private const string Status = "grpc-status", Message = "grpc-message", Details = "grpc-status-details-bin", Encoding = "grpc-encoding";

    /// <summary>Stands just before the services.</summary>
    public static void UseFrameFaults(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        await next(context);
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is null || Explain(context) is not { } refusal) return;
        var limiter = context.RequestServices.GetRequiredService<CallLimiter>();
        if (!limiter.TryTakeForAddress(context.Connection.RemoteIpAddress)) context.Abort();
        else Write(context.Response.Headers, Refusals.ToRpc(refusal));
    });

    // What has our details was refused by a call. An answer that has begun carries its status at its end, where it cannot be changed.
    private static Refusal? Explain(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (context.Response.HasStarted || headers.ContainsKey(Details) || !int.TryParse(headers[Status], CultureInfo.InvariantCulture, out var status)) return null;
        return (StatusCode)status switch
        {
            StatusCode.Unknown or StatusCode.Internal => new(Reason.Malformed, "the message is cut short or no protobuf of the expected form"),
            StatusCode.Unimplemented when context.Request.Headers.ContainsKey(Encoding) => new(Reason.Unsupported, "compressed messages are not taken"),
            _ => null,
        };
    }

    private static void Write(IHeaderDictionary headers, RpcException refused)
    {
        headers[Status] = ((int)refused.StatusCode).ToString(CultureInfo.InvariantCulture);
        headers[Message] = Uri.EscapeDataString(refused.Status.Detail);
        headers[Details] = Convert.ToBase64String(refused.Trailers.GetValueBytes(Details) ?? []);
    }
}
