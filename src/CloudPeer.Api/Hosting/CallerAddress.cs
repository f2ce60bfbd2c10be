using CloudPeer.Api.Hosting.Settings;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Net.Http.Headers;

namespace CloudPeer.Api.Hosting;

/// <summary>Where a request comes from, and how many may come from there.</summary>
internal static class CallerAddress
{
    private const string RetryAfterSeconds = "1";

    /// <summary>
    /// Takes <c>X-Forwarded-For</c> from the proxies that the operator trusts, hop by hop up to the first address that is none of them. From anybody else it means
    /// nothing, or each call could come from another address.
    /// </summary>
    public static void UseCallerAddress(this IApplicationBuilder app, ServerSettings settings)
    {
        if (settings.TrustedProxies.Count == 0) return;
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in settings.TrustedProxies) options.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(options);
    }

    /// <summary>Counts what is no gRPC call against its address. One that is one is counted once its session is known.</summary>
    public static void UseAddressLimit(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is not null) return next(context);
        var limiter = context.RequestServices.GetRequiredService<CallLimiter>();
        if (limiter.TryTakeForAddress(context.Connection.RemoteIpAddress)) return next(context);
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        context.Response.Headers[HeaderNames.RetryAfter] = RetryAfterSeconds;
        return Task.CompletedTask;
    });
}
