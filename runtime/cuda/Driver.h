// The functions of NVIDIA's driver API that this tree calls or implements, under the names that programs write. As in cuda.h,
// some names stand for a newer symbol of the library: the assembler label says which.
#pragma once

#include "runtime/cuda/Types.h"

#define GLM_CUDA extern "C" __attribute__((visibility("default")))
#define GLM_SYMBOL(name) __asm__(#name)

// NOLINTBEGIN(readability-identifier-naming, readability-inconsistent-declaration-parameter-name): NVIDIA's names.
namespace glm::cuda {

// Initialization, version, errors, entry points.
GLM_CUDA CUresult cuInit(unsigned flags);
GLM_CUDA CUresult cuDriverGetVersion(int *version);
GLM_CUDA CUresult cuGetErrorName(CUresult error, const char **text);
GLM_CUDA CUresult cuGetErrorString(CUresult error, const char **text);
GLM_CUDA CUresult cuGetProcAddress(const char *symbol, void **function, int cudaVersion, uint64_t flags,
                                   CUdriverProcAddressQueryResult *status) GLM_SYMBOL(cuGetProcAddress_v2);

// Devices.
GLM_CUDA CUresult cuDeviceGet(CUdevice *device, int ordinal);
GLM_CUDA CUresult cuDeviceGetCount(int *count);
GLM_CUDA CUresult cuDeviceGetName(char *name, int length, CUdevice device);
GLM_CUDA CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device) GLM_SYMBOL(cuDeviceGetUuid_v2);
GLM_CUDA CUresult cuDeviceTotalMem(size_t *bytes, CUdevice device) GLM_SYMBOL(cuDeviceTotalMem_v2);
GLM_CUDA CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device);
GLM_CUDA CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device);
GLM_CUDA CUresult cuDeviceGetByPCIBusId(CUdevice *device, const char *id);
GLM_CUDA CUresult cuDeviceCanAccessPeer(int *possible, CUdevice device, CUdevice peer);
GLM_CUDA CUresult cuDeviceGetP2PAttribute(int *value, CUdevice_P2PAttribute attribute, CUdevice source,
                                          CUdevice destination);

// Contexts.
GLM_CUDA CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device);
GLM_CUDA CUresult cuDevicePrimaryCtxRelease(CUdevice device) GLM_SYMBOL(cuDevicePrimaryCtxRelease_v2);
GLM_CUDA CUresult cuDevicePrimaryCtxReset(CUdevice device) GLM_SYMBOL(cuDevicePrimaryCtxReset_v2);
GLM_CUDA CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags) GLM_SYMBOL(cuDevicePrimaryCtxSetFlags_v2);
GLM_CUDA CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *active);
/// The form of CUDA 3.2 to 12: cuda.h of CUDA 13 writes cuCtxCreate_v4, which takes parameters first.
GLM_CUDA CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device);
GLM_CUDA CUresult cuCtxCreate(CUcontext *context, void *parameters, unsigned flags, CUdevice device)
    GLM_SYMBOL(cuCtxCreate_v4);
GLM_CUDA CUresult cuCtxDestroy(CUcontext context) GLM_SYMBOL(cuCtxDestroy_v2);
GLM_CUDA CUresult cuCtxPushCurrent(CUcontext context) GLM_SYMBOL(cuCtxPushCurrent_v2);
GLM_CUDA CUresult cuCtxPopCurrent(CUcontext *context) GLM_SYMBOL(cuCtxPopCurrent_v2);
GLM_CUDA CUresult cuCtxSetCurrent(CUcontext context);
GLM_CUDA CUresult cuCtxGetCurrent(CUcontext *context);
GLM_CUDA CUresult cuCtxGetDevice(CUdevice *device);
GLM_CUDA CUresult cuCtxGetFlags(unsigned *flags);
GLM_CUDA CUresult cuCtxGetApiVersion(CUcontext context, unsigned *version);
GLM_CUDA CUresult cuCtxGetId(CUcontext context, unsigned long long *id);
GLM_CUDA CUresult cuCtxSynchronize();
GLM_CUDA CUresult cuCtxSetLimit(CUlimit limit, size_t value);
GLM_CUDA CUresult cuCtxGetLimit(size_t *value, CUlimit limit);
GLM_CUDA CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest);
GLM_CUDA CUresult cuCtxSetCacheConfig(CUfunc_cache config);
GLM_CUDA CUresult cuCtxGetCacheConfig(CUfunc_cache *config);
GLM_CUDA CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags);
GLM_CUDA CUresult cuCtxDisablePeerAccess(CUcontext peer);

// Modules, libraries, functions.
GLM_CUDA CUresult cuModuleLoad(CUmodule *module, const char *path);
GLM_CUDA CUresult cuModuleLoadData(CUmodule *module, const void *image);
GLM_CUDA CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, CUjit_option *options,
                                     void **values);
GLM_CUDA CUresult cuModuleUnload(CUmodule module);
GLM_CUDA CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name);
GLM_CUDA CUresult cuModuleGetFunctionCount(unsigned *count, CUmodule module);
GLM_CUDA CUresult cuModuleEnumerateFunctions(CUfunction *functions, unsigned count, CUmodule module);
GLM_CUDA CUresult cuModuleGetGlobal(CUdeviceptr *address, size_t *bytes, CUmodule module, const char *name)
    GLM_SYMBOL(cuModuleGetGlobal_v2);
GLM_CUDA CUresult cuLibraryLoadData(CUlibrary *library, const void *code, CUjit_option *jitOptions, void **jitValues,
                                    unsigned jitCount, int *libraryOptions, void **libraryValues,
                                    unsigned libraryCount);
GLM_CUDA CUresult cuLibraryUnload(CUlibrary library);
GLM_CUDA CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library, const char *name);
GLM_CUDA CUresult cuLibraryGetModule(CUmodule *module, CUlibrary library);
GLM_CUDA CUresult cuKernelGetFunction(CUfunction *function, CUkernel kernel);
GLM_CUDA CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function);
GLM_CUDA CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value);
GLM_CUDA CUresult cuFuncSetCacheConfig(CUfunction function, CUfunc_cache config);
GLM_CUDA CUresult cuFuncGetModule(CUmodule *module, CUfunction function);
GLM_CUDA CUresult cuFuncGetName(const char **name, CUfunction function);
GLM_CUDA CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset, size_t *size);

// Memory.
GLM_CUDA CUresult cuMemGetInfo(size_t *available, size_t *total) GLM_SYMBOL(cuMemGetInfo_v2);
GLM_CUDA CUresult cuMemAlloc(CUdeviceptr *address, size_t bytes) GLM_SYMBOL(cuMemAlloc_v2);
GLM_CUDA CUresult cuMemAllocPitch(CUdeviceptr *address, size_t *pitch, size_t width, size_t height,
                                  unsigned elementBytes) GLM_SYMBOL(cuMemAllocPitch_v2);
GLM_CUDA CUresult cuMemFree(CUdeviceptr address) GLM_SYMBOL(cuMemFree_v2);
GLM_CUDA CUresult cuMemGetAddressRange(CUdeviceptr *base, size_t *bytes, CUdeviceptr address)
    GLM_SYMBOL(cuMemGetAddressRange_v2);
GLM_CUDA CUresult cuMemAllocHost(void **address, size_t bytes) GLM_SYMBOL(cuMemAllocHost_v2);
GLM_CUDA CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags);
GLM_CUDA CUresult cuMemFreeHost(void *address);
GLM_CUDA CUresult cuMemHostGetDevicePointer(CUdeviceptr *address, void *host, unsigned flags)
    GLM_SYMBOL(cuMemHostGetDevicePointer_v2);
GLM_CUDA CUresult cuMemHostGetFlags(unsigned *flags, void *host);
GLM_CUDA CUresult cuMemHostRegister(void *host, size_t bytes, unsigned flags) GLM_SYMBOL(cuMemHostRegister_v2);
GLM_CUDA CUresult cuMemHostUnregister(void *host);
GLM_CUDA CUresult cuMemAllocManaged(CUdeviceptr *address, size_t bytes, unsigned flags);
GLM_CUDA CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes, CUstream stream);
GLM_CUDA CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream);
GLM_CUDA CUresult cuMemAllocFromPoolAsync(CUdeviceptr *address, size_t bytes, CUmemoryPool pool, CUstream stream);
GLM_CUDA CUresult cuDeviceGetDefaultMemPool(CUmemoryPool *pool, CUdevice device);
GLM_CUDA CUresult cuDeviceGetMemPool(CUmemoryPool *pool, CUdevice device);
GLM_CUDA CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool pool);
GLM_CUDA CUresult cuMemPoolCreate(CUmemoryPool *pool, const CUmemPoolProps *properties);
GLM_CUDA CUresult cuMemPoolDestroy(CUmemoryPool pool);
GLM_CUDA CUresult cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPool_attribute attribute, void *value);
GLM_CUDA CUresult cuMemPoolGetAttribute(CUmemoryPool pool, CUmemPool_attribute attribute, void *value);
GLM_CUDA CUresult cuMemPoolSetAccess(CUmemoryPool pool, const CUmemAccessDesc *access, size_t count);
GLM_CUDA CUresult cuMemPoolTrimTo(CUmemoryPool pool, size_t bytesToKeep);
GLM_CUDA CUresult cuPointerGetAttribute(void *value, CUpointer_attribute attribute, CUdeviceptr address);
GLM_CUDA CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes, void **values,
                                         CUdeviceptr address);
GLM_CUDA CUresult cuMemPrefetchAsync(CUdeviceptr address, size_t bytes, CUmemLocation location, unsigned flags,
                                     CUstream stream) GLM_SYMBOL(cuMemPrefetchAsync_v2);
GLM_CUDA CUresult cuMemAdvise(CUdeviceptr address, size_t bytes, int advice, CUmemLocation location)
    GLM_SYMBOL(cuMemAdvise_v2);
GLM_CUDA CUresult cuIpcGetMemHandle(CUipcMemHandle *handle, CUdeviceptr address);
GLM_CUDA CUresult cuIpcOpenMemHandle(CUdeviceptr *address, CUipcMemHandle handle, unsigned flags)
    GLM_SYMBOL(cuIpcOpenMemHandle_v2);
GLM_CUDA CUresult cuIpcCloseMemHandle(CUdeviceptr address);

// Virtual memory.
GLM_CUDA CUresult cuMemAddressReserve(CUdeviceptr *address, size_t bytes, size_t align, CUdeviceptr wish,
                                      unsigned long long flags);
GLM_CUDA CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes);
GLM_CUDA CUresult cuMemCreate(CUmemGenericAllocationHandle *handle, size_t bytes, const CUmemAllocationProp *properties,
                              unsigned long long flags);
GLM_CUDA CUresult cuMemRelease(CUmemGenericAllocationHandle handle);
GLM_CUDA CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle,
                           unsigned long long flags);
GLM_CUDA CUresult cuMemUnmap(CUdeviceptr address, size_t bytes);
GLM_CUDA CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc *access, size_t count);
GLM_CUDA CUresult cuMemGetAccess(unsigned long long *flags, const CUmemLocation *location, CUdeviceptr address);
GLM_CUDA CUresult cuMemGetAllocationGranularity(size_t *bytes, const CUmemAllocationProp *properties,
                                                CUmemAllocationGranularity_flags which);
GLM_CUDA CUresult cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp *properties,
                                                         CUmemGenericAllocationHandle handle);
GLM_CUDA CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle *handle, void *address);
GLM_CUDA CUresult cuMemExportToShareableHandle(void *shareable, CUmemGenericAllocationHandle handle,
                                               CUmemAllocationHandleType type, unsigned long long flags);
GLM_CUDA CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle *handle, void *shareable,
                                                 CUmemAllocationHandleType type);

// Copies and fills.
GLM_CUDA CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes);
GLM_CUDA CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream);
GLM_CUDA CUresult cuMemcpyHtoD(CUdeviceptr to, const void *from, size_t bytes) GLM_SYMBOL(cuMemcpyHtoD_v2);
GLM_CUDA CUresult cuMemcpyDtoH(void *to, CUdeviceptr from, size_t bytes) GLM_SYMBOL(cuMemcpyDtoH_v2);
GLM_CUDA CUresult cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) GLM_SYMBOL(cuMemcpyDtoD_v2);
GLM_CUDA CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream)
    GLM_SYMBOL(cuMemcpyHtoDAsync_v2);
GLM_CUDA CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream)
    GLM_SYMBOL(cuMemcpyDtoHAsync_v2);
GLM_CUDA CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream)
    GLM_SYMBOL(cuMemcpyDtoDAsync_v2);
GLM_CUDA CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext,
                               size_t bytes);
GLM_CUDA CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext,
                                    size_t bytes, CUstream stream);
GLM_CUDA CUresult cuMemcpy2D(const CUDA_MEMCPY2D *copy) GLM_SYMBOL(cuMemcpy2D_v2);
GLM_CUDA CUresult cuMemcpy2DUnaligned(const CUDA_MEMCPY2D *copy) GLM_SYMBOL(cuMemcpy2DUnaligned_v2);
GLM_CUDA CUresult cuMemcpy2DAsync(const CUDA_MEMCPY2D *copy, CUstream stream) GLM_SYMBOL(cuMemcpy2DAsync_v2);
GLM_CUDA CUresult cuMemcpy3D(const CUDA_MEMCPY3D *copy) GLM_SYMBOL(cuMemcpy3D_v2);
GLM_CUDA CUresult cuMemcpy3DAsync(const CUDA_MEMCPY3D *copy, CUstream stream) GLM_SYMBOL(cuMemcpy3DAsync_v2);
GLM_CUDA CUresult cuMemsetD8(CUdeviceptr address, unsigned char value, size_t count) GLM_SYMBOL(cuMemsetD8_v2);
GLM_CUDA CUresult cuMemsetD16(CUdeviceptr address, unsigned short value, size_t count) GLM_SYMBOL(cuMemsetD16_v2);
GLM_CUDA CUresult cuMemsetD32(CUdeviceptr address, unsigned value, size_t count) GLM_SYMBOL(cuMemsetD32_v2);
GLM_CUDA CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, size_t count, CUstream stream);
GLM_CUDA CUresult cuMemsetD16Async(CUdeviceptr address, unsigned short value, size_t count, CUstream stream);
GLM_CUDA CUresult cuMemsetD32Async(CUdeviceptr address, unsigned value, size_t count, CUstream stream);
GLM_CUDA CUresult cuMemsetD2D8(CUdeviceptr address, size_t pitch, unsigned char value, size_t width, size_t height)
    GLM_SYMBOL(cuMemsetD2D8_v2);
GLM_CUDA CUresult cuMemsetD2D16(CUdeviceptr address, size_t pitch, unsigned short value, size_t width, size_t height)
    GLM_SYMBOL(cuMemsetD2D16_v2);
GLM_CUDA CUresult cuMemsetD2D32(CUdeviceptr address, size_t pitch, unsigned value, size_t width, size_t height)
    GLM_SYMBOL(cuMemsetD2D32_v2);
GLM_CUDA CUresult cuMemsetD2D8Async(CUdeviceptr address, size_t pitch, unsigned char value, size_t width, size_t height,
                                    CUstream stream);
GLM_CUDA CUresult cuMemsetD2D16Async(CUdeviceptr address, size_t pitch, unsigned short value, size_t width,
                                     size_t height, CUstream stream);
GLM_CUDA CUresult cuMemsetD2D32Async(CUdeviceptr address, size_t pitch, unsigned value, size_t width, size_t height,
                                     CUstream stream);

// Streams and events.
GLM_CUDA CUresult cuStreamCreate(CUstream *stream, unsigned flags);
GLM_CUDA CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority);
GLM_CUDA CUresult cuStreamDestroy(CUstream stream) GLM_SYMBOL(cuStreamDestroy_v2);
GLM_CUDA CUresult cuStreamSynchronize(CUstream stream);
GLM_CUDA CUresult cuStreamQuery(CUstream stream);
GLM_CUDA CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags);
GLM_CUDA CUresult cuStreamGetFlags(CUstream stream, unsigned *flags);
GLM_CUDA CUresult cuStreamGetPriority(CUstream stream, int *priority);
GLM_CUDA CUresult cuStreamGetCtx(CUstream stream, CUcontext *context);
GLM_CUDA CUresult cuStreamGetId(CUstream stream, unsigned long long *id);
GLM_CUDA CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void *data);
GLM_CUDA CUresult cuStreamAddCallback(CUstream stream, void (*callback)(CUstream, CUresult, void *), void *data,
                                      unsigned flags);
GLM_CUDA CUresult cuStreamWaitValue32(CUstream stream, CUdeviceptr address, uint32_t value, unsigned flags)
    GLM_SYMBOL(cuStreamWaitValue32_v2);
GLM_CUDA CUresult cuStreamWriteValue32(CUstream stream, CUdeviceptr address, uint32_t value, unsigned flags)
    GLM_SYMBOL(cuStreamWriteValue32_v2);
GLM_CUDA CUresult cuEventCreate(CUevent *event, unsigned flags);
GLM_CUDA CUresult cuEventDestroy(CUevent event) GLM_SYMBOL(cuEventDestroy_v2);
GLM_CUDA CUresult cuEventRecord(CUevent event, CUstream stream);
GLM_CUDA CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags);
GLM_CUDA CUresult cuEventQuery(CUevent event);
GLM_CUDA CUresult cuEventSynchronize(CUevent event);
GLM_CUDA CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) GLM_SYMBOL(cuEventElapsedTime_v2);

// Launches and occupancy.
GLM_CUDA CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                 unsigned blockY, unsigned blockZ, unsigned sharedBytes, CUstream stream,
                                 void **parameters, void **extra);
GLM_CUDA CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **parameters, void **extra);
GLM_CUDA CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ,
                                            unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                                            CUstream stream, void **parameters);
GLM_CUDA CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int blockSize,
                                                              size_t dynamicBytes);
GLM_CUDA CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, CUfunction function, int blockSize,
                                                                       size_t dynamicBytes, unsigned flags);
GLM_CUDA CUresult cuOccupancyMaxPotentialBlockSize(int *minGrid, int *blockSize, CUfunction function,
                                                   CUoccupancyB2DSize dynamicBytesOf, size_t dynamicBytes,
                                                   int blockLimit);
GLM_CUDA CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t *dynamicBytes, CUfunction function, int blocks,
                                                          int blockSize);
GLM_CUDA CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction function, const CUlaunchConfig *config);
GLM_CUDA CUresult cuOccupancyMaxPotentialClusterSize(int *blocks, CUfunction function, const CUlaunchConfig *config);

// Tensor maps.
GLM_CUDA CUresult cuTensorMapEncodeTiled(CUtensorMap *map, CUtensorMapDataType type, uint32_t rank, void *address,
                                         const uint64_t *dimensions, const uint64_t *strides, const uint32_t *box,
                                         const uint32_t *elementStrides, CUtensorMapInterleave interleave,
                                         CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
                                         CUtensorMapFloatOOBfill fill);
GLM_CUDA CUresult cuTensorMapReplaceAddress(CUtensorMap *map, void *address);

// Graphs.
GLM_CUDA CUresult cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode mode) GLM_SYMBOL(cuStreamBeginCapture_v2);
GLM_CUDA CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph);
GLM_CUDA CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status);
GLM_CUDA CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode);
GLM_CUDA CUresult cuGraphCreate(CUgraph *graph, unsigned flags);
GLM_CUDA CUresult cuGraphDestroy(CUgraph graph);
GLM_CUDA CUresult cuGraphClone(CUgraph *clone, CUgraph graph);
GLM_CUDA CUresult cuGraphAddKernelNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                       const CUDA_KERNEL_NODE_PARAMS *parameters) GLM_SYMBOL(cuGraphAddKernelNode_v2);
GLM_CUDA CUresult cuGraphAddMemcpyNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                       const CUDA_MEMCPY3D *copy, CUcontext context);
GLM_CUDA CUresult cuGraphAddMemsetNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                       const CUDA_MEMSET_NODE_PARAMS *parameters, CUcontext context);
GLM_CUDA CUresult cuGraphAddHostNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                     const CUDA_HOST_NODE_PARAMS *parameters);
GLM_CUDA CUresult cuGraphAddChildGraphNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies,
                                           size_t count, CUgraph child);
GLM_CUDA CUresult cuGraphAddEmptyNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count);
GLM_CUDA CUresult cuGraphAddEventRecordNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies,
                                            size_t count, CUevent event);
GLM_CUDA CUresult cuGraphAddEventWaitNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies,
                                          size_t count, CUevent event);
GLM_CUDA CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
                                         const CUgraphEdgeData *data, size_t count)
    GLM_SYMBOL(cuGraphAddDependencies_v2);
GLM_CUDA CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode *nodes, size_t *count);
GLM_CUDA CUresult cuGraphGetRootNodes(CUgraph graph, CUgraphNode *nodes, size_t *count);
GLM_CUDA CUresult cuGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *data,
                                  size_t *count) GLM_SYMBOL(cuGraphGetEdges_v2);
GLM_CUDA CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType *type);
GLM_CUDA CUresult cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode *dependencies, CUgraphEdgeData *data,
                                             size_t *count) GLM_SYMBOL(cuGraphNodeGetDependencies_v2);
GLM_CUDA CUresult cuGraphDestroyNode(CUgraphNode node);
GLM_CUDA CUresult cuGraphKernelNodeGetParams(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS *parameters)
    GLM_SYMBOL(cuGraphKernelNodeGetParams_v2);
GLM_CUDA CUresult cuGraphKernelNodeSetParams(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS *parameters)
    GLM_SYMBOL(cuGraphKernelNodeSetParams_v2);
GLM_CUDA CUresult cuGraphKernelNodeSetAttribute(CUgraphNode node, CUlaunchAttributeID attribute,
                                                const CUlaunchAttributeValue *value);
GLM_CUDA CUresult cuGraphInstantiate(CUgraphExec *exec, CUgraph graph, unsigned long long flags)
    GLM_SYMBOL(cuGraphInstantiateWithFlags);
GLM_CUDA CUresult cuGraphExecDestroy(CUgraphExec exec);
GLM_CUDA CUresult cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo *result)
    GLM_SYMBOL(cuGraphExecUpdate_v2);
GLM_CUDA CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                 const CUDA_KERNEL_NODE_PARAMS *parameters)
    GLM_SYMBOL(cuGraphExecKernelNodeSetParams_v2);
GLM_CUDA CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode node, unsigned enabled);
GLM_CUDA CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode node, unsigned *enabled);
GLM_CUDA CUresult cuGraphUpload(CUgraphExec exec, CUstream stream);
GLM_CUDA CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream);

} // namespace glm::cuda
// NOLINTEND(readability-identifier-naming, readability-inconsistent-declaration-parameter-name)
