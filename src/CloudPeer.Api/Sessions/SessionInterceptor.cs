using CloudPeer.Api.Hosting;
using CloudPeer.Sync.Sessions;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Tlfs.Core;

namespace CloudPeer.Api.Sessions;

/// <summary>Every call needs a session, except those of the services named here. A service that is added later is closed until it is named.</summary>
internal sealed class SessionInterceptor(SessionAuthority authority, CallLimiter limiter) : Interceptor
{
    private const string Scheme = "Bearer ";

    private static readonly string[] OpenServices =
        ["/cloudpeer.v1.Discovery/", "/cloudpeer.v1.Session/", "/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/", "/grpc.reflection.v1.ServerReflection/"];

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context);
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context);
        return continuation(requestStream, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context);
        return continuation(request, responseStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context);
        return continuation(requestStream, responseStream, context);
    }

    private void Admit(ServerCallContext context)
    {
        var address = context.GetHttpContext().Connection.RemoteIpAddress;
        if (Array.Exists(OpenServices, service => context.Method.StartsWith(service, StringComparison.Ordinal)))
        {
            limiter.TakeForAddress(address);
            return;
        }

        var header = context.RequestHeaders.GetValue("authorization");
        var peer = header is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authority.Authenticate(header.AsSpan(Scheme.Length)) : null;
        if (peer is null)
        {
            limiter.TakeForAddress(address);
            throw new TlfsException(Reason.Unauthenticated, "the call carries no session, or one that has ended");
        }

        limiter.Take(peer.Value, address);
        context.SetPeer(peer.Value);
    }
}
