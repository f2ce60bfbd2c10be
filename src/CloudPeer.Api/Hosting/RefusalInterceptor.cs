using CloudPeer.Api.Data;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Tlfs.Core;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// The outermost part of every gRPC call: turns refusals into the rich error model, an unreachable database into <c>unavailable</c>,
/// and whatever is unexpected into <c>internal</c> with a log line and without details for the caller.
/// </summary>
internal sealed partial class RefusalInterceptor(IHostApplicationLifetime lifetime, ILogger<RefusalInterceptor> log) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => continuation(requestStream, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => Nothing(continuation(request, responseStream, context)));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => Nothing(continuation(requestStream, responseStream, context)));

    private static async Task<object?> Nothing(Task task)
    {
        await task;
        return null;
    }

    private async Task<T> Guard<T>(ServerCallContext context, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception failure)
        {
            throw Translate(context, failure);
        }
    }

    private RpcException Translate(ServerCallContext context, Exception failure)
    {
        switch (failure)
        {
            case RpcException { StatusCode: StatusCode.Internal } or InvalidProtocolBufferException:
                // A frame of a stream: nothing here throws either.
                return Refusals.ToRpc(new(Reason.Malformed, "the message is cut short or no protobuf of the expected form"));
            case RpcException { StatusCode: StatusCode.Unimplemented } when context.RequestHeaders.GetValue("grpc-encoding") is not null:
                return Refusals.ToRpc(new(Reason.Unsupported, "compressed messages are not taken"));
            case RpcException rpc:
                return rpc;
            case RefusedException refused:
                return Refusals.ToRpc(refused.Refusal);
            case TlfsException refused when GrpcStatuses.Of(refused.Reason) is not null and not StatusCode.Internal:
                return Refusals.ToRpc(new(refused.Reason, refused.Message));
            case var _ when lifetime.ApplicationStopping.IsCancellationRequested:
                return Refusals.ToRpc(new(Reason.Unavailable, "the server stops; connect again, to another node if there is one") { RetryAfter = RetrySpread.Next(SystemEntropy.Instance) });
            case var _ when context.CancellationToken.IsCancellationRequested:
                return Refusals.ToRpc(new(Reason.Timeout, "the call was cancelled or its time is over"));
            case var _ when DatabaseFailure.IsUnavailable(failure):
                LogUnavailable(failure, context.Method);
                return Refusals.ToRpc(new(Reason.Unavailable, "the server cannot use its store now; try again") { RetryAfter = RetrySpread.Next(SystemEntropy.Instance) });
            default:
                LogUnexpected(failure, context.Method);
                return Refusals.ToRpc(new(Reason.Internal, "the server failed; its log says more"));
        }
    }

    [LoggerMessage(EventId = 1001, Level = LogLevel.Warning, Message = "The store failed during {Method}")]
    private partial void LogUnavailable(Exception failure, string method);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Error, Message = "{Method} failed unexpectedly")]
    private partial void LogUnexpected(Exception failure, string method);
}
